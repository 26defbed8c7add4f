import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { temporaryDirectory, type TemporaryDirectory, whereIs } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { archiveScript } from '../src/making/archive-script.ts'

/** The programs that the order is about. */
const programs = ['dd', 'cp', 'ln', 'mv', 'sync']
const builtIn = programs.filter((name) => whereIs(name)?.startsWith('/') !== true)
if (builtIn.length > 0)
  console.log(`the archive script is not watched: ${builtIn.join(', ')} are no files`)

let home: TemporaryDirectory

beforeEach(() => {
  home = temporaryDirectory({ inMemory: true })
  for (const name of ['bin', 'wal']) mkdirSync(home.file(name))
  writeFileSync(home.file('segment'), 'what was committed')
  writeFileSync(home.file('script'), archiveScript(home.file('wal')))
  for (const name of programs) {
    // It tells of itself, and fails if it is told to.
    const text = `#!/bin/sh
echo "${name} $*" >>'${home.file('log')}'
eval "case '${name} $*' in $FAILING) exit 1 ;; esac"
exec ${whereIs(name)} "$@"
`
    writeFileSync(home.file('bin', name), text)
    chmodSync(home.file('bin', name), 0o755)
  }
})

afterEach(() => home[Symbol.dispose]())

interface Archived {
  readonly status: number | null
  /** The calls, in their order, without the home's path. */
  readonly calls: string[]
  /** What is in the archive. */
  readonly files: string[]
}

/** Archives one file, while the calls fail that a pattern of the shell's fits. */
function archive(failing = 'none'): Archived {
  const { status } = spawnSync('/bin/sh', [home.file('script'), home.file('segment'), 'SEGMENT'], {
    env: { PATH: `${home.file('bin')}:${process.env['PATH']}`, FAILING: failing },
  })
  const log = existsSync(home.file('log')) ? readFileSync(home.file('log'), 'utf8') : ''
  writeFileSync(home.file('log'), '')
  const calls = log
    .replaceAll(`${home.path}/`, '')
    .replaceAll(/SEGMENT\.\d+\.tmp/g, 'TEMPORARY')
    .trim()
    .split('\n')
  return { status, calls, files: readdirSync(home.file('wal')) }
}

const copied = 'dd if=segment of=wal/TEMPORARY bs=1048576 conv=fsync'
const linked = 'ln -- wal/TEMPORARY wal/SEGMENT'

describe.skipIf(builtIn.length > 0)('a segment is archived', () => {
  it('whole and on disk before it has its name, and its name is on disk before the server is told', () => {
    const expected = { status: 0, calls: [copied, linked, 'sync -- wal'], files: ['SEGMENT'] }
    expect(archive()).toEqual(expected)
    expect(readFileSync(home.file('wal', 'SEGMENT'), 'utf8')).toBe('what was committed')
  })

  it('again as the first time, for the server may not have heard of that', () => {
    archive()
    expect(archive()).toEqual({
      status: 0,
      calls: ['sync -- wal/SEGMENT wal'],
      files: ['SEGMENT'],
    })
  })

  it('by what else there is, if dd cannot sync', () => {
    const calls = [
      copied,
      'cp -- segment wal/TEMPORARY',
      'sync -- wal/TEMPORARY',
      linked,
      'sync -- wal',
    ]
    expect(archive('dd*')).toEqual({ status: 0, calls, files: ['SEGMENT'] })
  })

  it('by syncing everything, if sync knows no files', () => {
    const sync = (path: string) => [`sync -- ${path}`, 'sync -- segment', 'sync']
    const calls = [
      copied,
      'cp -- segment wal/TEMPORARY',
      ...sync('wal/TEMPORARY'),
      linked,
      ...sync('wal'),
    ]
    const archived = archive('dd*|sync*--*')
    expect(archived).toMatchObject({ status: 0, files: ['SEGMENT'] })
    expect(archived.calls.map((call) => call.trim())).toEqual(calls)
  })

  it.each([
    ['the file', 'dd*|sync*.tmp*', []],
    ['its name', 'sync*/wal', ['SEGMENT']],
  ])('only if that can be brought to disk: %s', (_, failing, files) => {
    expect(archive(failing)).toMatchObject({ status: 1, files })
    // The server tries again, and is told again, until that is so.
    expect(archive(failing)).toMatchObject({ status: 1, files })
    expect(archive()).toMatchObject({ status: 0, files: ['SEGMENT'] })
  })

  it('by a rename, if there are no links', () => {
    const calls = [copied, linked, 'mv -- wal/TEMPORARY wal/SEGMENT', 'sync -- wal']
    expect(archive('ln*')).toEqual({ status: 0, calls, files: ['SEGMENT'] })
  })

  it.each(['dd*|cp*', 'ln*|mv*'])(
    'not at all, and nothing is left of it, if these fail: %s',
    (failing) => {
      expect(archive(failing)).toMatchObject({ status: 1, files: [] })
      expect(archive()).toMatchObject({ status: 0, files: ['SEGMENT'] })
    },
  )

  it('not in the place of another', () => {
    writeFileSync(home.file('wal', 'SEGMENT'), 'another')
    expect(archive()).toMatchObject({ status: 1, calls: [''], files: ['SEGMENT'] })
    expect(readFileSync(home.file('wal', 'SEGMENT'), 'utf8')).toBe('another')
  })
})
