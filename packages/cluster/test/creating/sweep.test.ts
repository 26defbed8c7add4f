import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { linuxOnly, temporaryDirectory, type TemporaryDirectory, until } from '@howdah/fixtures'
import { acquire, identifyProcess, inspect } from '@howdah/lock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DataDirectory, removeTree } from '@howdah/data-directory'
import { destroyCluster } from '../../src/creating/destroy.ts'
import { sweep } from '../../src/creating/sweep.ts'
import { clearWreck, endCreation, markWreck } from '../../src/creating/wreck.ts'

const byDescriptor = linuxOnly('/proc/self/fd, by which an open directory is reached')
let home: TemporaryDirectory
/** Where temporary clusters lie: one of another name is no such place. */
let place: string

beforeEach(() => {
  home = temporaryDirectory()
  place = home.file(`howdah-clusters-${process.geteuid?.()}`)
  mkdirSync(place, { mode: 0o700 })
})
afterEach(() => home[Symbol.dispose]())

/** The files of a stopped cluster, as far as anybody looks at them here, and some more. */
function cluster(path: string, ...more: string[]): DataDirectory {
  const directory = new DataDirectory(path)
  for (const name of ['', 'base', 'global']) mkdirSync(directory.file(name), { recursive: true })
  for (const name of ['PG_VERSION', ...more]) writeFileSync(directory.file(name), '18\n')
  return directory
}

const named = (name: string, ...more: string[]) => cluster(`${place}/${name}`, ...more)
const isThere = ({ path }: DataDirectory) => existsSync(path)
const throwAway = 'howdah.throwaway'

/** A process that counts as a server of a directory, for it is recorded as that. */
async function recorded(
  directory: DataDirectory,
  pinned: boolean,
): Promise<Disposable & { child: ChildProcess }> {
  // Another each time: a program that runs cannot be written.
  const program = join(mkdtempSync(home.file('bin-')), 'postgres')
  copyFileSync('/bin/sleep', program)
  const child = spawn(program, ['600'], { cwd: directory.path, stdio: 'ignore' })
  await once(child, 'spawn')
  const identity = identifyProcess(child.pid ?? 0)
  const { dev, ino } = statSync(directory.path)
  const fields = {
    pid: identity?.pid,
    start: identity?.startTime,
    boot: identity?.bootId,
    namespace: identity?.pidNamespace,
    of: `${dev}:${ino}`,
    signal: 'SIGINT',
    pinned: pinned ? 'yes' : 'no',
  }
  // What a system does not have, such as pid namespaces, is left out.
  const known = Object.entries(fields).filter(([, value]) => value !== null)
  const lines = known.map(([key, value]) => `${key} ${value}\n`)
  writeFileSync(directory.record, lines.join(''))
  const started = Math.floor(Date.now() / 1000)
  const pidFile = [child.pid, directory.path, started, 5432, '.', '', '', 'ready', '']
  writeFileSync(directory.pidFile, pidFile.join('\n'))
  return { child, [Symbol.dispose]: () => void child.kill('SIGKILL') }
}

describe('a temporary cluster is swept', () => {
  it('if it was to be thrown away, or is a wreck, and not if it is neither', async () => {
    const thrown = named('thrown', throwAway)
    const wreck = named('wreck', 'howdah.creating')
    const kept = named('kept')
    expect(await sweep(place)).toBe(2)
    expect([thrown, wreck, kept].map(isThere)).toEqual([false, false, true])
    expect(readdirSync(kept.path).toSorted()).toEqual(['PG_VERSION', 'base', 'global'])
  })

  it.each(['', 'PG_VERSION', 'global'])(
    'not while somebody has the lock on its %j',
    async (name) => {
      const thrown = named('thrown', throwAway)
      {
        using _ = await acquire(thrown.file(name), { mode: 'shared' })
        expect(await sweep(place)).toBe(0)
        expect(existsSync(thrown.versionFile)).toBe(true)
      }
      expect(await sweep(place)).toBe(1)
      expect(isThere(thrown)).toBe(false)
    },
  )

  it('not while an initdb that outlived its creator works in it', async () => {
    const wreck = named('wreck', 'howdah.creating')
    const staging = wreck.file('howdah.initdb-0123456789ab')
    mkdirSync(staging)
    {
      using _ = await acquire(staging)
      expect(await sweep(place)).toBe(0)
      expect(existsSync(staging)).toBe(true)
    }
    expect(await sweep(place)).toBe(1)
  })

  it('not while its server is to stay, and its server is stopped otherwise', async () => {
    const thrown = named('thrown', throwAway)
    {
      using server = await recorded(thrown, true)
      expect(await sweep(place)).toBe(0)
      expect(server.child.signalCode).toBeNull()
      expect(existsSync(thrown.versionFile)).toBe(true)
    }
    using server = await recorded(thrown, false)
    const ended = once(server.child, 'exit')
    expect(await sweep(place)).toBe(1)
    expect((await ended)[1]).toBe('SIGQUIT')
    expect(isThere(thrown)).toBe(false)
  })

  it('if its creator was killed before it had published its marker, and not if anything else is there', async () => {
    const empty = new DataDirectory(`${place}/empty`)
    const marked = new DataDirectory(`${place}/marked`)
    const letter = new DataDirectory(`${place}/letter`)
    for (const { path } of [empty, marked, letter]) mkdirSync(path)
    writeFileSync(marked.file('howdah.creating.tmp'), '')
    writeFileSync(letter.file('howdah.creating.tmp'), '')
    writeFileSync(letter.file('letter.txt'), 'dear reader')
    expect(await sweep(place)).toBe(2)
    expect([empty, marked, letter].map(isThere)).toEqual([false, false, true])
    expect(readdirSync(letter.path)).toHaveLength(2)
  })

  it('though another cannot be, and with what was being removed', async () => {
    writeFileSync(`${place}/a-file`, '')
    mkdirSync(`${place}/.removed-0123456789ab/base`, { recursive: true })
    const thrown = named('thrown', throwAway)
    expect(await sweep(place)).toBe(1)
    expect(isThere(thrown)).toBe(false)
    await until('the rest is removed', () => readdirSync(place).join() === 'a-file')
  })
})

describe('a cluster that is destroyed', () => {
  it('is a wreck before its first file goes', async () => {
    const directory = cluster(home.file('data'))
    using change = await acquire(directory.path)
    // It cannot be removed as a file can.
    await removeTree(directory.versionFile)
    mkdirSync(directory.versionFile)
    await expect(destroyCluster(directory, change)).rejects.toThrow('PG_VERSION')
    expect(readdirSync(directory.path)).toContain('howdah.creating')
    await removeTree(directory.versionFile)
    await destroyCluster(directory, change)
    expect(isThere(directory)).toBe(false)
  })

  it('may be a wreck already, but is never what has replaced it', async () => {
    const directory = cluster(home.file('data'), 'letter.txt')
    await removeTree(directory.versionFile)
    using change = await acquire(directory.path)
    const refusal = { code: 'ERR_CLUSTER_UNKNOWN_STATUS' }
    await expect(destroyCluster(directory, change)).rejects.toMatchObject(refusal)
    expect(readdirSync(directory.path).toSorted()).toEqual(['base', 'global', 'letter.txt'])
    await markWreck(directory)
    await destroyCluster(directory, change)
    expect(isThere(directory)).toBe(false)
  })

  it('is found by its lock, whatever lies at its path by then', byDescriptor, async () => {
    const directory = cluster(home.file('data'))
    using change = await acquire(directory.path)
    renameSync(directory.path, home.file('moved'))
    const other = cluster(directory.path, 'letter.txt')
    await destroyCluster(directory, change)
    expect(readdirSync(home.file('moved'))).toEqual([])
    expect(existsSync(other.file('letter.txt'))).toBe(true)
  })
})

describe('what a killed creator has left', () => {
  const staging = 'howdah.initdb-0123456789ab'
  /** A wreck with a directory in which a cluster was being made. */
  function wreck(): { directory: DataDirectory; inside: DataDirectory } {
    const directory = cluster(home.file('data'), 'howdah.creating')
    return { directory, inside: cluster(directory.file(staging)) }
  }

  it.each(['', 'global', 'PG_VERSION'])(
    'is removed when whoever has the lock on its %j has ended: an initdb that outlived it',
    linuxOnly('/proc/locks, which tells who waits'),
    async (name) => {
      const { directory, inside } = wreck()
      const path = inside.file(name)
      const working = await acquire(path)
      const clearing = clearWreck(directory)
      await until('it waits', async () => (await inspect(path)).waiters.length > 0)
      expect(readdirSync(inside.path).toSorted()).toEqual(['PG_VERSION', 'base', 'global'])
      working.release()
      await clearing
      expect(readdirSync(directory.path)).toEqual([])
    },
  )

  it('has its server ended first, at once', async () => {
    const { directory, inside } = wreck()
    using server = await recorded(inside, false)
    const ended = once(server.child, 'exit')
    await clearWreck(directory)
    expect((await ended)[1]).toBe('SIGQUIT')
    expect(readdirSync(directory.path)).toEqual([])
  })

  it('is waited for, too, if only its processes are to be ended', async () => {
    const { directory, inside } = wreck()
    using server = await recorded(inside, false)
    const ended = once(server.child, 'exit')
    await endCreation(directory)
    expect((await ended)[1]).toBe('SIGQUIT')
    expect(readdirSync(directory.path)).toContain(staging)
    expect(readdirSync(inside.path)).toContain('base')
  })
})

it('nothing is removed if no marker says that there is a wreck', async () => {
  const directory = cluster(home.file('data'))
  await clearWreck(directory)
  expect(readdirSync(directory.path)).toHaveLength(3)
  await markWreck(directory)
  await clearWreck(directory)
  expect(readdirSync(directory.path)).toEqual([])
})
