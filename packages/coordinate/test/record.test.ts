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
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { acquireSync, currentProcess, type Lock } from '@howdah/lock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Place, ServerRecord } from '@howdah/coordinate'
import { launchedNow, names, readRecord, removeRecord, writeRecord } from '../src/record/record.ts'
import { plainRecord as record } from './plain-record.ts'

const hasProc = process.platform === 'linux' && existsSync('/proc/self/fd')
const asRoot = process.geteuid?.() === 0
const full: ServerRecord = {
  process: { ...currentProcess(), pid: 4711, startTime: '17' },
  signal: 'SIGINT',
  stillness: 3,
  worksHere: true,
  host: 'a host',
  since: new Date('2026-01-02T03:04:05.678Z'),
  pinned: true,
  perishes: true,
  linger: 1_500,
  joined: 'then',
}

let home: TemporaryDirectory
let place: Place
let change: Lock

beforeEach(() => {
  home = temporaryDirectory()
  place = placeAt(home.file('data'))
  mkdirSync(place.change)
  change = acquireSync(place.change)
})
afterEach(() => {
  change.release()
  home[Symbol.dispose]()
})

const placeAt = (path: string): Place => ({
  change: path,
  use: `${path}/use`,
  watchdog: `${path}/watchdog`,
  server: `${path}/server`,
  record: `${path}/record`,
})
/** The record, with a line changed. */
const rewrite = (line: RegExp, instead: string) =>
  writeFileSync(place.record, readFileSync(place.record, 'utf8').replace(line, instead))
/** A record knows nothing of the machine. */
function without({ process: identity, ...rest }: ServerRecord) {
  const { pid, startTime, bootId, pidNamespace } = identity
  return { ...rest, process: { pid, startTime, bootId, pidNamespace } }
}

describe('a record', () => {
  it('is read as it was written', () => {
    for (const one of [record, full]) {
      writeRecord(place, change, one)
      expect(readRecord(place)).toEqual(without(one))
    }
    expect(readdirSync(place.change)).toEqual(['record'])
    expect(lstatSync(place.record).mode & 0o777).toBe(0o644)
  })

  it('is text of a line each, for a shell, which knows whole seconds of standing still', () => {
    writeRecord(place, change, { ...full, stillness: 2.1 })
    const { dev, ino } = lstatSync(place.change)
    const { bootId, pidNamespace } = currentProcess()
    expect(readFileSync(place.record, 'utf8').split('\n')).toEqual([
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
      'pinned yes',
      'perishes yes',
      'linger 1.5',
      'joined then',
      '',
    ])
  })

  it('may name process 1: in a container a server may be that', () => {
    writeRecord(place, change, full)
    rewrite(/^pid .*$/m, 'pid 1')
    expect(readRecord(place)?.process.pid).toBe(1)
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
    writeRecord(place, change, full)
    rewrite(line, instead)
    expect(readRecord(place)).toBeNull()
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
    writeRecord(place, change, full)
    rewrite(new RegExp(`^${key} .*$`, 'm'), `${key} ${value}`)
    expect(readRecord(place)).toEqual({ ...without(full), ...expected })
  })

  it('is none if there is none, and if its subject was removed', () => {
    expect(readRecord(place)).toBeNull()
    writeRecord(place, change, full)
    renameSync(place.record, home.file('record'))
    rmSync(place.change, { recursive: true })
    expect(readRecord(place)).toBeNull()
    expect(readRecord({ ...place, record: home.file('record') })).toBeNull()
    writeFileSync(place.change, '')
    expect(readRecord(place)).toBeNull()
  })

  it('that cannot be read is never taken for none', () => {
    mkdirSync(place.record)
    const refusal = { code: 'ERR_COORDINATE_RECORD', path: place.record }
    expect(() => readRecord(place)).toThrow(expect.objectContaining(refusal))
  })

  it('that cannot be written is said, and leaves the old one', () => {
    writeRecord(place, change, full)
    mkdirSync(`${place.record}.new`)
    const refusal = { code: 'ERR_COORDINATE_RECORD', path: place.record }
    expect(() => writeRecord(place, change, record)).toThrow(expect.objectContaining(refusal))
    expect(readRecord(place)).toEqual(without(full))
  })

  it('takes the place of what a killed one has left, and follows no link that is planted there', () => {
    writeFileSync(home.file('precious'), 'precious')
    symlinkSync(home.file('precious'), `${place.record}.new`)
    writeRecord(place, change, full)
    expect(readFileSync(home.file('precious'), 'utf8')).toBe('precious')
    expect(lstatSync(place.record).isFile()).toBe(true)
  })

  it('goes with what a killed one has left of it', () => {
    writeRecord(place, change, full)
    writeFileSync(`${place.record}.new`, '')
    removeRecord(place, change)
    expect(readdirSync(place.change)).toEqual([])
    removeRecord(place, change)
  })

  it('may lie beside its subject', () => {
    const beside = { ...place, record: home.file('record') }
    writeRecord(beside, change, full)
    expect(readRecord(beside)).toEqual(without(full))
    expect(readdirSync(place.change)).toEqual([])
    removeRecord(beside, change)
    expect(existsSync(beside.record)).toBe(false)
  })

  it.runIf(asRoot)('is that of the user that the server runs as', () => {
    writeRecord({ ...place, uid: 65_534, gid: 65_533 }, change, full)
    expect(lstatSync(place.record)).toMatchObject({ uid: 65_534, gid: 65_533 })
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
    const { since, ...rest } = launchedNow(place, place.change)
    expect(rest).toEqual({ worksHere: true, host: hostname() })
    expect((since?.getTime() ?? 0) - before).toBeGreaterThanOrEqual(0)
    symlinkSync(place.change, home.file('link'))
    expect(launchedNow(place, home.file('link')).worksHere).toBe(true)
    for (const other of [home.path, home.file('missing'), null])
      expect(launchedNow(place, other).worksHere).toBe(false)
  })
})

it.runIf(hasProc)(
  'a record is written and removed in the directory that is locked, whatever lies at its path by then',
  () => {
    const [data, moved, victim] = [home.file('other'), home.file('moved'), home.file('victim')]
    for (const path of [data, victim]) mkdirSync(path)
    using held = acquireSync(data)
    renameSync(data, moved)
    symlinkSync(victim, data)
    writeRecord(placeAt(data), held, record)
    expect(readdirSync(victim)).toEqual([])
    expect(readRecord(placeAt(moved))?.process.pid).toBe(process.pid)
    removeRecord(placeAt(data), held)
    expect(readdirSync(moved)).toEqual([])
  },
)
