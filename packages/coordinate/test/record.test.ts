import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { linuxOnly, temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { acquireSync, currentProcess, type Lock } from '@howdah/lock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Paths, ServerRecord } from '@howdah/coordinate'
import { launchedNow, names, readRecord, removeRecord, writeRecord } from '../src/record/record.ts'
import { plainRecord as record } from './plain-record.ts'

const asRoot = process.geteuid?.() === 0
const full: ServerRecord = {
  process: { ...currentProcess(), pid: 4711, startTime: '17' },
  signal: 'SIGINT',
  stillness: 3000,
  worksHere: true,
  boundTo: '/some where/else',
  host: 'a host',
  since: new Date('2026-01-02T03:04:05.678Z'),
  pinned: true,
  perishes: true,
  linger: 1_500,
  joined: 'then',
}

let home: TemporaryDirectory
let paths: Paths
let change: Lock

beforeEach(() => {
  home = temporaryDirectory()
  paths = pathsAt(home.file('data'))
  mkdirSync(paths.change)
  change = acquireSync(paths.change)
})
afterEach(() => {
  change.release()
  home[Symbol.dispose]()
})

const pathsAt = (path: string): Paths => ({
  change: path,
  use: `${path}/use`,
  watchdog: `${path}/watchdog`,
  server: `${path}/server`,
  record: `${path}/record`,
})
/** The record, with a line changed. */
const rewrite = (line: RegExp, instead: string) =>
  writeFileSync(paths.record, readFileSync(paths.record, 'utf8').replace(line, instead))
/** A record knows nothing of the machine. */
function without({ process: identity, ...rest }: ServerRecord) {
  const { pid, startTime, bootId, pidNamespace } = identity
  return { ...rest, process: { pid, startTime, bootId, pidNamespace } }
}

describe('a record', () => {
  it('is read as it was written', () => {
    for (const one of [record, full]) {
      writeRecord(paths, change, one)
      expect(readRecord(paths)).toEqual(without(one))
    }
    expect(readdirSync(paths.change)).toEqual(['record'])
    expect(lstatSync(paths.record).mode & 0o777).toBe(0o644)
  })

  it('is text of a line each, for a shell, which knows whole seconds of standing still', () => {
    writeRecord(paths, change, { ...full, stillness: 2100 })
    const { dev, ino } = lstatSync(paths.change)
    const { bootId, pidNamespace } = currentProcess()
    expect(readFileSync(paths.record, 'utf8').split('\n')).toEqual([
      'pid 4711',
      'start 17',
      `boot ${bootId}`,
      ...(pidNamespace === null ? [] : [`namespace ${pidNamespace}`]),
      `of ${dev}:${ino}`,
      'host a host',
      'since 2026-01-02T03:04:05.678Z',
      'signal SIGINT',
      'still 3',
      'cwd here',
      'bound /some where/else',
      'pinned yes',
      'perishes yes',
      'linger 1.5',
      'joined then',
      '',
    ])
  })

  it('may name process 1: in a container a server may be that', () => {
    writeRecord(paths, change, full)
    rewrite(/^pid .*$/m, 'pid 1')
    expect(readRecord(paths)?.process.pid).toBe(1)
  })

  it.each([
    ['names no process', /^pid .*$/m, 'pid x'],
    ['names half a process', /^pid .*$/m, 'pid 1.5'],
    ['names the process group', /^pid .*$/m, 'pid 0'],
    ['names another process group', /^pid .*$/m, 'pid -1'],
    ['has no process', /^pid .*\n/m, ''],
    ['names a signal that ends nothing in order', /^signal .*$/m, 'signal SIGKILL'],
    ['has no signal', /^signal .*\n/m, ''],
    ['is of another subject', /^of .*$/m, 'of 1:1'],
    ['is of no subject', /^of .*\n/m, ''],
  ])('that %s is none', (_, line, instead) => {
    writeRecord(paths, change, full)
    rewrite(line, instead)
    expect(readRecord(paths)).toBeNull()
  })

  it.each([
    ['still', 'x', { stillness: 0 }],
    ['still', '-1', { stillness: 0 }],
    ['linger', 'Infinity', { linger: 0 }],
    ['linger', '0.5', { linger: 500 }],
    ['linger', '0.0004', { linger: 0 }],
    ['pinned', 'no', { pinned: false }],
    ['cwd', 'there', { worksHere: false }],
    ['since', 'long ago', { since: null }],
  ])('makes nothing of a wish that means nothing: %s %s', (key, value, expected) => {
    writeRecord(paths, change, full)
    rewrite(new RegExp(`^${key} .*$`, 'm'), `${key} ${value}`)
    expect(readRecord(paths)).toEqual({ ...without(full), ...expected })
  })

  it('is none if there is none, and if its subject was removed', () => {
    expect(readRecord(paths)).toBeNull()
    writeRecord(paths, change, full)
    renameSync(paths.record, home.file('record'))
    rmSync(paths.change, { recursive: true })
    expect(readRecord(paths)).toBeNull()
    expect(readRecord({ ...paths, record: home.file('record') })).toBeNull()
    writeFileSync(paths.change, '')
    expect(readRecord(paths)).toBeNull()
  })

  it('that cannot be read is never taken for none', () => {
    mkdirSync(paths.record)
    const refusal = { code: 'ERR_COORDINATE_RECORD', path: paths.record }
    expect(() => readRecord(paths)).toThrow(expect.objectContaining(refusal))
  })

  it('that cannot be written is said, and leaves the old one', () => {
    writeRecord(paths, change, full)
    mkdirSync(`${paths.record}.new`)
    const refusal = { code: 'ERR_COORDINATE_RECORD', path: paths.record }
    expect(() => writeRecord(paths, change, record)).toThrow(expect.objectContaining(refusal))
    expect(readRecord(paths)).toEqual(without(full))
  })

  it('takes the place of what a killed one has left, and follows no link that is planted there', () => {
    writeFileSync(home.file('precious'), 'precious')
    symlinkSync(home.file('precious'), `${paths.record}.new`)
    writeRecord(paths, change, full)
    expect(readFileSync(home.file('precious'), 'utf8')).toBe('precious')
    expect(lstatSync(paths.record).isFile()).toBe(true)
  })

  it('goes with what a killed one has left of it', () => {
    writeRecord(paths, change, full)
    writeFileSync(`${paths.record}.new`, '')
    removeRecord(paths, change)
    expect(readdirSync(paths.change)).toEqual([])
    removeRecord(paths, change)
  })

  it('may lie beside its subject', () => {
    const beside = { ...paths, record: home.file('record') }
    writeRecord(beside, change, full)
    expect(readRecord(beside)).toEqual(without(full))
    expect(readdirSync(paths.change)).toEqual([])
    removeRecord(beside, change)
    expect(existsSync(beside.record)).toBe(false)
  })

  it.runIf(asRoot)('is that of the user that the server runs as', () => {
    writeRecord({ ...paths, uid: 65_534, gid: 65_533 }, change, full)
    expect(lstatSync(paths.record)).toMatchObject({ uid: 65_534, gid: 65_533 })
  })
})

describe('what a record says', () => {
  it('names a process only by all that is known of it', () => {
    const { process: identity } = full
    expect(names(full, { ...identity })).toBe(true)
    const others = [{ pid: 1 }, { startTime: '1' }, { bootId: '1' }, { pidNamespace: 'pid:[1]' }]
    for (const other of others) expect(names(full, { ...identity, ...other })).toBe(false)
    expect([names(null, identity), names(full, null)]).toEqual([false, false])
  })

  it('of a server that was launched just now', () => {
    const before = Date.now()
    const { since, ...rest } = launchedNow(paths, paths.change)
    expect(rest).toEqual({ worksHere: true, host: hostname() })
    expect((since?.getTime() ?? 0) - before).toBeGreaterThanOrEqual(0)
    symlinkSync(paths.change, home.file('link'))
    expect(launchedNow(paths, home.file('link')).worksHere).toBe(true)
    for (const other of [home.path, home.file('missing'), null])
      expect(launchedNow(paths, other).worksHere).toBe(false)
  })
})

it(
  'a record is written and removed in the directory that is locked, whatever lies at its path by then',
  linuxOnly('/proc/self/fd, by which an open directory is reached'),
  () => {
    const [data, moved, victim] = [home.file('other'), home.file('moved'), home.file('victim')]
    for (const path of [data, victim]) mkdirSync(path)
    using held = acquireSync(data)
    renameSync(data, moved)
    symlinkSync(victim, data)
    writeRecord(pathsAt(data), held, record)
    expect(readdirSync(victim)).toEqual([])
    expect(readRecord(pathsAt(moved))?.process.pid).toBe(process.pid)
    removeRecord(pathsAt(data), held)
    expect(readdirSync(moved)).toEqual([])
  },
)
