import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { delimiter } from 'node:path'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { identifyProcess } from '@howdah/lock'
import { describe, expect, test } from 'vitest'
import { Runtime, type RuntimeProblem, Version } from '../src/index.ts'
import { probeVersion } from '../src/version/probe-version.ts'
import { fakeBindir } from './fake-bindir.ts'

const debian = '/usr/lib/postgresql/15/bin'

describe.skipIf(!existsSync(debian))("the system's own PostgreSQL", () => {
  test('is a runtime with all its programs', async () => {
    using directory = temporaryDirectory()
    const runtime = await Runtime.at(debian, { cacheDir: directory.file('cache') })
    expect(runtime.bindir).toBe(debian)
    expect(runtime.version.major).toBe(15)
    expect([...runtime.programs]).toEqual(
      expect.arrayContaining(['initdb', 'postgres', 'psql', 'pg_dump']),
    )
    expect(runtime.program('psql')).toBe(`${debian}/psql`)
    const { stdout } = await runtime.execute('psql', ['--version'])
    expect(Version.parse(stdout).compare(runtime.version)).toBe(0)
  })
})

test('a runtime whose version is known is not asked', async () => {
  using directory = temporaryDirectory()
  const bindir = fakeBindir(directory.file('bin'), { script: 'exit 1' })
  const runtime = await Runtime.at(bindir, { version: Version.parse('12.22') })
  expect(runtime.toString()).toBe(`PostgreSQL 12.22 at ${bindir}`)
  expect([...runtime.programs]).toEqual(['initdb', 'pg_ctl', 'postgres'])
})

test('the error for a missing program names it, and the programs that there are', async () => {
  using directory = temporaryDirectory()
  const bindir = fakeBindir(directory.file('bin'), { version: '16.3' })
  const runtime = await Runtime.at(bindir, { cacheDir: directory.file('cache') })
  expect(runtime.has('initdb')).toBe(true)
  expect(runtime.has('psql')).toBe(false)
  await expect(runtime.execute('psql')).rejects.toThrow(
    expect.objectContaining({
      code: 'ERR_RUNTIME_PROGRAM_MISSING',
      program: 'psql',
      bindir,
      programs: ['initdb', 'pg_ctl', 'postgres'],
      message:
        `PostgreSQL 16.3 at ${bindir} has no psql, only initdb, pg_ctl, postgres; ` +
        "install PostgreSQL's client programs, and choose a runtime that has them",
    }),
  )
})

test("links to Debian's pg_wrapper are no programs of a runtime", async () => {
  using directory = temporaryDirectory()
  const bindir = fakeBindir(directory.file('bin'), { version: '16.3' })
  symlinkSync('../share/postgresql-common/pg_wrapper', `${bindir}/psql`)
  symlinkSync('postgres', `${bindir}/postmaster`)
  mkdirSync(`${bindir}/pg_directory`)
  const runtime = await Runtime.at(bindir, { cacheDir: directory.file('cache') })
  expect([...runtime.programs]).toEqual(['initdb', 'pg_ctl', 'postgres', 'postmaster'])
})

const parts = (...entries: string[]) => entries.join(delimiter)

describe('PATH', () => {
  test('has the runtime first, even if it was already on it', async () => {
    using directory = temporaryDirectory()
    const bindir = fakeBindir(directory.file('bin'), { version: '16.3' })
    const runtime = await Runtime.at(bindir, { cacheDir: directory.file('cache') })
    expect(runtime.path({ PATH: '/usr/bin:/bin' })).toBe(parts(bindir, '/usr/bin', '/bin'))
    expect(runtime.path({ PATH: `/usr/bin:${bindir}/:/bin:${bindir}` })).toBe(
      parts(bindir, '/usr/bin', '/bin'),
    )
    expect(runtime.path({ PATH: `${bindir}:/bin` })).toBe(parts(bindir, '/bin'))
    expect(runtime.path({ PATH: '' })).toBe(bindir)
    expect(runtime.path({})).toBe(bindir)
    expect(runtime.path()).toBe(parts(bindir, process.env['PATH'] ?? ''))
  })

  test('is set for commands, and unchanged for programs', async () => {
    using directory = temporaryDirectory()
    const script = 'echo "$0 $PATH $EXTRA"'
    const other = fakeBindir(directory.file('other'), { script: 'echo other' })
    const bindir = fakeBindir(directory.file('bin'), { script }, ['initdb'])
    const runtime = await Runtime.at(bindir, { version: Version.parse('16.3') })

    const env = { PATH: `${other}:/usr/bin:/bin`, EXTRA: 'extra' }
    const command = await runtime.command('sh', ['-c', 'initdb'], { env })
    expect(command.stdout).toBe(`${bindir}/initdb ${bindir}:${other}:/usr/bin:/bin extra`)
    const direct = await runtime.command('initdb', [], { env, extendEnv: false })
    expect(direct.stdout).toBe(`${bindir}/initdb ${bindir}:${other}:/usr/bin:/bin extra`)
    const program = await runtime.execute('initdb', [], { env })
    expect(program.stdout).toBe(`${bindir}/initdb ${other}:/usr/bin:/bin extra`)
  })
})

describe('a directory that is not a runtime is refused, with the reason', () => {
  const table: [RuntimeProblem, string, (bindir: string) => void][] = [
    ['missing', 'nothing there', () => {}],
    ['missing', 'no postgres', (bindir) => mkdirSync(bindir)],
    [
      'client-only',
      'psql without postgres',
      (bindir) => {
        mkdirSync(bindir)
        writeFileSync(`${bindir}/psql`, '')
      },
    ],
    [
      'not-executable',
      'not executable',
      (bindir) => chmodSync(`${fakeBindir(bindir, { version: '16.3' })}/postgres`, 0o644),
    ],
    [
      'not-executable',
      'a directory',
      (bindir) => mkdirSync(`${bindir}/postgres`, { recursive: true }),
    ],
    [
      'wrapper',
      'a link to something that chooses',
      (bindir) => {
        mkdirSync(bindir)
        writeFileSync(`${bindir}/pg_wrapper`, '#!/bin/sh\necho 16.3', { mode: 0o755 })
        symlinkSync('pg_wrapper', `${bindir}/postgres`)
      },
    ],
    [
      'no-version',
      'fails',
      (bindir) => fakeBindir(bindir, { script: 'echo out of order >&2; exit 3' }),
    ],
    [
      'no-version',
      'prints something else',
      (bindir) => fakeBindir(bindir, { script: 'echo hello' }),
    ],
    ['no-version', 'is killed', (bindir) => fakeBindir(bindir, { script: 'kill -9 $$' })],
    [
      'missing-library',
      'lacks a library',
      (bindir) =>
        fakeBindir(bindir, {
          script: `echo "$0: error while loading shared libraries: libssl.so.1.1: cannot open" >&2; exit 127`,
        }),
    ],
    [
      'wrong-platform',
      'has no loader here',
      (bindir) => {
        mkdirSync(bindir)
        writeFileSync(`${bindir}/postgres`, '#!/lib/ld-nowhere.so\n', { mode: 0o755 })
      },
    ],
    [
      'wrong-platform',
      'is of another processor',
      (bindir) => {
        mkdirSync(bindir)
        writeFileSync(`${bindir}/postgres`, '\u007fELF nonsense \u0000\u0001', { mode: 0o755 })
      },
    ],
  ]
  test.each(table)('%s: %s', async (problem, _, make) => {
    using directory = temporaryDirectory()
    const bindir = directory.file('bin')
    make(bindir)
    await expect(Runtime.at(bindir, { cacheDir: directory.file('cache') })).rejects.toMatchObject({
      code: 'ERR_RUNTIME_NOT_A_RUNTIME',
      bindir,
      problem,
    })
  })

  test('hung: it and all processes that it started are killed', async () => {
    using directory = temporaryDirectory()
    const pids = directory.file('pids')
    const script = `sleep 1000 & echo $$ $! > ${pids}.new; mv ${pids}.new ${pids}; wait`
    const bindir = fakeBindir(directory.file('bin'), { script })
    await expect(probeVersion(`${bindir}/postgres`, 300)).rejects.toMatchObject({ problem: 'hung' })
    const started = readFileSync(pids, 'utf8').trim().split(' ').map(Number)
    expect(started).toHaveLength(2)
    for (const pid of started) await until(`${pid} has ended`, () => hasEnded(pid))
  })
})

test('nothing of our environment reaches the server that is asked', async () => {
  using directory = temporaryDirectory()
  const seen = directory.file('seen')
  const bindir = fakeBindir(directory.file('bin'), {
    script: `env > ${seen}; pwd >> ${seen}; echo 'postgres (PostgreSQL) 16.3'`,
  })
  process.env['LD_PRELOAD_NOT'] = 'leak'
  try {
    await Runtime.at(bindir, { cacheDir: directory.file('cache') })
  } finally {
    delete process.env['LD_PRELOAD_NOT']
  }
  const lines = readFileSync(seen, 'utf8').trim().split('\n')
  // What the shell itself adds is not ours.
  const own = lines.filter((line) => !/^(?:PWD|SHLVL|_|OLDPWD)=/.test(line))
  expect(own.toSorted()).toEqual(['/', 'LC_ALL=C', 'PATH=/usr/bin:/bin'])
})

/** Whether a process is gone, or dead and not yet waited for by the process that inherited it. */
async function hasEnded(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return identifyProcess(pid) === null
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  return stat === null || stat.slice(stat.lastIndexOf(')')).startsWith(') Z')
}
