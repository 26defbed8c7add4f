import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Guard } from '@howdah/coordinate'
import { childrenOf, killed, linuxOnly, until } from '@howdah/fixtures'
import { type Lock, acquire, identifyProcess, inspect } from '@howdah/lock'
import { writeRecord } from '../../src/record/record.ts'
import { Arena } from '../arena.ts'
import { isPausing } from '../pauses.ts'
import { isFree, watchdogKinds } from '../locks-in-use.ts'
import { plainRecord } from '../plain-record.ts'
import { abandon, abandonUnder } from './abandon.ts'

describe.each(watchdogKinds)('a watchdog (%s) that is to throw away', (watchdog) => {
  const options = { start: {}, watchdog, throwAway: true }

  /** The change lock, for which the watchdog waits: it has stopped the server, and holds use no more. */
  async function beforeChange(arena: Arena): Promise<Lock> {
    const guard = await Guard.join(arena.subject, arena.paths, options)
    const change = await acquire(arena.paths.change)
    await abandonUnder(guard)
    await until('the server is stopped', () => arena.count('gone') === 1 && !arena.has('server'))
    await until('use is free', () => isFree(arena.paths.use))
    return change
  }

  test('leaves alone what was made in its place while it waited for change', async () => {
    await using arena = new Arena()
    const { paths, directory } = arena
    const change = await beforeChange(arena)
    rmSync(`${directory}/throw-away`)
    writeFileSync(`${paths.use}.new`, 'another')
    renameSync(`${paths.use}.new`, paths.use)
    change.release()
    await until('the watchdog is gone', () => !arena.has('watchdog'))
    expect(readFileSync(paths.use, 'utf8')).toBe('another')
    expect(existsSync(`${directory}/data/one`)).toBe(true)
  })

  const waiters = linuxOnly('/proc/locks, which tells who waits')

  test('waits for users that came while it waited for change', waiters, async () => {
    await using arena = new Arena()
    const { paths, directory } = arena
    const change = await beforeChange(arena)
    const use = await acquire(paths.use, { mode: 'shared' })
    const watchdogPid = arena.pid('watchdog')
    change.release()
    const waitsForUse = async () =>
      (await inspect(paths.use)).waiters.some(
        ({ pid }) => pid === watchdogPid || childrenOf(watchdogPid).includes(pid),
      )
    await until('the watchdog waits for use', waitsForUse)
    expect(existsSync(`${directory}/data/one`)).toBe(true)
    use.release()
    await arena.deserted()
    expect(existsSync(directory)).toBe(false)
  })

  const namespaces = linuxOnly('pid namespaces')

  test('leaves alone a server that was started to stay while it waited for change', async () => {
    await using arena = new Arena()
    const { paths, directory } = arena
    const change = await beforeChange(arena)
    using server = killed(spawn('sleep', ['600'], { cwd: directory, stdio: 'ignore' }))
    await once(server, 'spawn')
    const identity = identifyProcess(server.pid ?? 0)
    if (identity === null) throw new Error('it has ended')
    writeRecord(paths, change, { ...plainRecord, worksHere: true, process: identity, pinned: true })
    change.release()
    await until('the watchdog is gone', () => !arena.has('watchdog'))
    expect(existsSync(`${directory}/data/one`)).toBe(true)
    expect(server.signalCode).toBeNull()
  })

  test('removes neither what was moved while it waited for change, nor what lies in its place', async () => {
    await using arena = new Arena()
    const { directory } = arena
    const change = await beforeChange(arena)
    const moved = arena.beside('moved')
    renameSync(directory, moved)
    mkdirSync(directory)
    writeFileSync(`${directory}/letter.txt`, 'dear reader')
    change.release()
    await until('the watchdog is gone', () => !arena.has('watchdog'))
    expect(readFileSync(`${moved}/data/one`, 'utf8')).toBe('one')
    expect(readdirSync(directory)).toEqual(['letter.txt'])
  })

  test(
    'leaves alone what was made anew while it waited to remove the rest of it',
    waiters,
    async () => {
      await using arena = new Arena()
      const { paths, directory } = arena
      const guard = await Guard.join(arena.subject, paths, options)
      const change = await acquire(paths.change)
      // As somebody who was killed when he had just begun to remove it.
      writeFileSync(`${directory}/wreck`, '')
      rmSync(paths.use)
      const watchdogPid = arena.pid('watchdog')
      await abandonUnder(guard)
      await until('the watchdog waits for change', async () =>
        (await inspect(paths.change)).waiters.some(
          ({ pid }) => pid === watchdogPid || childrenOf(watchdogPid).includes(pid),
        ),
      )
      writeFileSync(paths.use, 'another')
      rmSync(`${directory}/wreck`)
      change.release()
      await until('the watchdog is gone', () => !arena.has('watchdog'))
      expect(readFileSync(paths.use, 'utf8')).toBe('another')
      expect(existsSync(`${directory}/data/one`)).toBe(true)
    },
  )

  test(
    'leaves a server of another container alone, without waiting for change',
    namespaces,
    async () => {
      await using arena = new Arena()
      const { paths } = arena
      const guard = await Guard.join(arena.subject, arena.paths, options)
      const record = readFileSync(paths.record, 'utf8')
      writeFileSync(paths.record, record.replace(/^namespace .*$/m, 'namespace pid:[1]'))
      using change = await acquire(paths.change)
      await abandonUnder(guard)
      await until('the watchdog is gone', () => !arena.has('watchdog'))
      expect(change.held && existsSync(paths.use)).toBe(true)
      expect(arena.events().map(([what]) => what)).toEqual(['start'])
    },
  )

  test('leaves alone what another server works in, which its pid file names, and no other process', async () => {
    const isKept = async (
      write: (pid: number) => string,
      where: (arena: Arena) => string,
    ): Promise<boolean> => {
      await using arena = new Arena()
      const change = await beforeChange(arena)
      using other = killed(spawn('sleep', ['600'], { cwd: where(arena), stdio: 'ignore' }))
      await once(other, 'spawn')
      writeFileSync(`${arena.directory}/server.pid`, write(other.pid ?? 0))
      change.release()
      await until('the watchdog is gone', () => !arena.has('watchdog'))
      return existsSync(`${arena.directory}/data/one`)
    }
    const inside = ({ directory }: Arena) => directory
    const kept = [
      isKept((pid) => `${pid}\n`, inside),
      // As PostgreSQL's single-user mode has it.
      isKept((pid) => `-${pid}\nmore\n`, inside),
      isKept(
        (pid) => `${pid}\n`,
        () => '/',
      ),
      isKept((pid) => `x${pid}\n`, inside),
      isKept(() => '\n', inside),
    ]
    expect(await Promise.all(kept)).toEqual([true, true, false, false, false])
  })

  test(
    'removes what a server has left that has ended and that nobody reaps, as in many containers',
    linuxOnly('zombies'),
    async () => {
      await using arena = new Arena()
      const change = await beforeChange(arena)
      // The child's parent is a program that waits for no child: the child ends when that runs in the place of the shell.
      const child = 'while ! grep -q sleep /proc/$$/comm; do :; done'
      const leaving = `(${child}) & echo $!; exec sleep 600`
      using parent = killed(spawn('sh', ['-c', leaving], { stdio: ['ignore', 'pipe', 'ignore'] }))
      const [line] = (await once(parent.stdout, 'data')) as [Buffer]
      const stat = () => readFileSync(`/proc/${String(line).trim()}/stat`, 'utf8')
      await until('the child is a zombie', () => stat().includes(') Z '))
      writeFileSync(`${arena.directory}/server.pid`, String(line))
      change.release()
      await arena.deserted()
      expect(existsSync(arena.directory)).toBe(false)
    },
  )

  test('removes more entries than one call of rm gets', async () => {
    await using arena = new Arena()
    const guard = await Guard.join(arena.subject, arena.paths, options)
    for (let n = 0; n < 250; n++) writeFileSync(`${arena.directory}/${n % 2 ? '.' : ''}${n}`, '')
    await abandon(guard, arena.paths)
    await arena.deserted()
    expect(existsSync(arena.directory)).toBe(false)
  })

  test('empties its own directory alone, though a link is planted as its marker', async () => {
    await using arena = new Arena()
    const guard = await Guard.join(arena.subject, arena.paths, options)
    const precious = arena.beside('precious')
    writeFileSync(precious, 'precious')
    symlinkSync(precious, `${arena.directory}/wreck`)
    symlinkSync(arena.beside('.'), `${arena.directory}/data/beside`)
    await abandon(guard, arena.paths)
    await arena.deserted()
    expect(existsSync(arena.directory)).toBe(false)
    expect(readFileSync(precious, 'utf8')).toBe('precious')
  })
})

test(
  'the shell that watches waits for what a killed server has left running, before it removes anything',
  linuxOnly('a watchdog that is a shell'),
  async () => {
    await using arena = new Arena()
    const { paths, directory } = arena
    const options = { start: {}, watchdog: 'sh', throwAway: true } as const
    const guard = await Guard.join(arena.subject, paths, options)
    await arena.killServer()
    // Without a gate, which would be in the directory that is removed.
    const left = await acquire(paths.server, { fair: false })
    const watchdogPid = arena.pid('watchdog')
    await abandon(guard, paths)
    const pauses = () => arena.involved().length > 0 && isPausing(watchdogPid, '0.02')
    await until('it looks again and again', pauses)
    expect(existsSync(`${directory}/data/one`)).toBe(true)
    left.release()
    await arena.deserted()
    expect(existsSync(directory)).toBe(false)
  },
)
