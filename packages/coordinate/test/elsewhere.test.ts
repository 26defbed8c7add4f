import {
  cpSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Free, Guard, isServed, ownership } from '@howdah/coordinate'
import { until, whyNoPidNamespaces } from '@howdah/fixtures'
import { acquire, identifyProcess } from '@howdah/lock'
import { setTimeout as sleep } from 'node:timers/promises'
import { Arena } from './arena.ts'
import { watchdogKinds } from './locks-in-use.ts'
import { isPausing } from './pauses.ts'
import { connectTo, pathsOf, subjectIn } from './server/directory-subject.mjs'

const denied = whyNoPidNamespaces()
if (denied !== null) console.log(`tests in pid namespaces are skipped: ${denied}`)
/** Most of the time they wait for watchdogs and containers. */
const contained = { concurrent: true, skip: denied !== null }

describe('a server of another container', contained, () => {
  const elsewhere = { code: 'ERR_COORDINATE_ELSEWHERE' }

  test('is neither joined nor stopped nor removed, and the refusal tells of it', async () => {
    await using arena = new Arena()
    const user = arena.containedUser()
    await user.joined()
    const joining = Guard.join(arena.subject, arena.paths, { start: {} })
    await expect(joining).rejects.toMatchObject({
      ...elsewhere,
      message: expect.stringMatching(/in use in another container.*pid \d+.*pid:\[.*since 20/),
      server: { process: { pid: expect.any(Number) } },
    })
    expect(await isServed(arena.paths)).toBe(true)
    const forced = await new Free(arena.subject, arena.paths).tryChange({ force: true })
    await expect(forced?.stop()).rejects.toMatchObject(elsewhere)
    await expect(forced?.destroy()).rejects.toMatchObject(elsewhere)
    expect(user.lines).not.toContain('lost')
    expect(arena.events().map(([what]) => what)).toEqual(['start'])
    user.child.stdin?.write('leave\n')
    await user.ended
    expect(user.lines).toContain('left stopped')
    expect(await isServed(arena.paths)).toBe(false)
  })

  test('is gone with its container, and the next one starts another', async () => {
    await using arena = new Arena()
    const user = arena.containedUser()
    await user.joined()
    await user.kill()
    await using guard = await Guard.join(arena.subject, arena.paths, { start: {} })
    expect(guard.started).toBe('modified')
    expect(arena.count('clash')).toBe(0)
  })

  test('is not started beside one that two containers want at once', async () => {
    await using arena = new Arena()
    const all = Array.from({ length: 4 }, () => arena.containedUser())
    const outcomes = await Promise.all(
      all.map(async (user) => await user.joined().catch(() => user.lines.join('\n'))),
    )
    const joined = outcomes.filter((outcome) => outcome === 'modified')
    expect(joined).toHaveLength(1)
    for (const outcome of outcomes.filter((one) => one !== 'modified')) {
      expect(outcome).toContain('ERR_COORDINATE_ELSEWHERE')
    }
    expect(arena.count('start')).toBe(1)
  })

  test.each([
    ['', false],
    [', though their watchdog was killed as well', true],
  ])('that leaves its users behind is not followed by one of ours%s', async (_, unwatched) => {
    await using arena = new Arena()
    const user = arena.containedUser()
    await user.joined()
    if (unwatched) process.kill(arena.pid('watchdog'), 'SIGKILL')
    const server = arena.pid('server')
    process.kill(server, 'SIGKILL')
    await until('the server is dead', () => !arena.has('server'))
    const joining = Guard.join(arena.subject, arena.paths, { start: {} })
    await expect(joining).rejects.toMatchObject(elsewhere)
    await user.kill()
    await using guard = await Guard.join(arena.subject, arena.paths, { start: {} })
    expect(guard.started).toBe('modified')
  })
})

/** The watchdog of a lingering server in a container that outlives the only user. */
async function leftWatchdog(arena: Arena): Promise<number> {
  const user = arena.containedUser({ linger: 60_000 }, ['sh', '-c', '"$@"; read -r _', 'sh'])
  await user.joined()
  user.child.stdin?.write('leave\n')
  await until('it has left', () => user.lines.includes('left kept'))
  return arena.pid('watchdog')
}

describe('a watchdog of another container', contained, () => {
  test('that lingers after a crash is waited for, and the next server has one of its own', async () => {
    await using arena = new Arena()
    const left = await leftWatchdog(arena)
    // It takes its time to see the crash.
    process.kill(left, 'SIGSTOP')
    process.kill(arena.pid('server'), 'SIGKILL')
    await until('the server is dead', () => !arena.has('server'))
    const onWait = () => void process.kill(left, 'SIGCONT')
    await using guard = await Guard.join(arena.subject, arena.paths, { start: {}, onWait })
    expect(guard.started).toBe('modified')
    const watchdogs = arena.involved().filter(({ role }) => role === 'watchdog')
    expect(watchdogs).toHaveLength(1)
    expect(watchdogs).not.toMatchObject([{ pid: left }])
  })
})

describe('a server of another container that dies while one waits to join', contained, () => {
  test('has its watchdog waited for, which needs the locks to end', async () => {
    await using arena = new Arena()
    const left = await leftWatchdog(arena)
    // Suspended while it lingers, for then it has neither use nor change, which nobody could take otherwise.
    await until('its watchdog lingers', () => isPausing(left))
    const change = await acquire(arena.paths.change)
    process.kill(left, 'SIGSTOP')
    const waits: string[] = []
    const joining = Guard.join(arena.subject, arena.paths, {
      start: {},
      onWait: (wait) => {
        waits.push(wait.for)
        if (wait.for === 'process') process.kill(left, 'SIGCONT')
      },
    })
    await until('it waits for change', () => waits.length === 1)
    process.kill(arena.pid('server'), 'SIGKILL')
    // Its first thread ends before the others, and the lock ends with the last one.
    await until('the server has no lock', async () => !(await isServed(arena.paths)))
    change.release()
    await using guard = await joining
    expect(guard.started).toBe('modified')
    expect(waits).toEqual(['change', 'process'])
  })
})

describe.concurrent.each(watchdogKinds)('by its inode, and watched by %s', (watchdog) => {
  test('a copy is a subject of its own, and the original never notices', async () => {
    await using arena = new Arena()
    const user = arena.user({ watchdog })
    await user.joined()
    const copy = arena.beside('copy')
    cpSync(arena.directory, copy, { recursive: true, filter: (path) => !path.endsWith('/socket') })
    const [subject, paths] = [subjectIn(copy), pathsOf(copy)]
    // The pid file of the original came along; that of a database names its directory, too.
    rmSync(`${copy}/server.pid`)
    expect(readFileSync(paths.record, 'utf8')).toBe(readFileSync(arena.paths.record, 'utf8'))
    expect(await isServed(paths)).toBe(false)
    expect(await ownership(paths, subject)).toBe('none')
    const guard = await Guard.join(subject, paths, { start: {}, watchdog })
    expect(guard.started).toBe('modified')
    expect(await guard.leave()).toBe('stopped')
    expect(user.lines).not.toContain('lost')
    expect(arena.events().map(([what]) => what)).toEqual(['start'])
  })

  test('a server whose directory was removed is stopped when its last user has gone', async () => {
    await using arena = new Arena()
    const user = arena.user({ watchdog })
    await user.joined()
    // The Node watchdog has to have seen the record.
    if (watchdog === 'node') await until('it is known', () => isRemembered(arena))
    const server = arena.pid('server')
    rmSync(arena.directory, { recursive: true })
    await user.kill()
    await until('the server is gone', () => identifyProcess(server) === null)
    await arena.deserted()
    expect(arena.count('start')).toBe(1)
  })

  test('a directory that is moved keeps its server and its watchdog', async () => {
    await using arena = new Arena()
    const user = arena.user({ watchdog })
    await user.joined()
    const server = arena.pid('server')
    const moved = arena.beside('moved')
    renameSync(arena.directory, moved)
    const guard = await Guard.join(subjectIn(moved), pathsOf(moved), { start: {}, watchdog })
    expect(guard.started).toBe('unmodified')
    expect(await guard.leave()).toBe('in-use')
    await user.kill()
    await until('the server is gone', () => identifyProcess(server) === null)
    await until('its record is, too', () => !existsSync(pathsOf(moved).record))
  })

  test('a server whose use file was removed is stopped when its last user has gone', async () => {
    await using arena = new Arena()
    const user = arena.user({ watchdog })
    await user.joined()
    rmSync(arena.paths.use)
    await user.kill()
    await arena.deserted()
    expect(arena.count('gone')).toBe(1)
  })

  test('a server stays for its users, however often another file takes the place of their use file', async () => {
    await using arena = new Arena()
    const user = arena.user({ watchdog })
    await user.joined()
    // The watchdog looks after a second whether the path leads to another file, and then at every change.
    for (const deadline = performance.now() + 2_000; performance.now() < deadline;) {
      rmSync(arena.paths.use)
      writeFileSync(arena.paths.use, '1\n')
      const connection = await connectTo(arena.directory)
      connection.end()
      await sleep(50)
    }
    // The last user by a file that was replaced cannot know that it is the last one, so the watchdog ends the server.
    expect(await user.leave()).toBe('kept')
    await arena.deserted()
    expect(arena.count('start')).toBe(1)
  })

  test('a server stays for processes that come by a new use file, after the old one was replaced', async () => {
    await using arena = new Arena()
    const user = arena.user({ watchdog })
    await user.joined()
    rmSync(arena.paths.use)
    writeFileSync(arena.paths.use, '1\n')
    const guard = await Guard.join(arena.subject, arena.paths, { start: {}, watchdog })
    expect(guard.started).toBe('unmodified')
    await user.kill()
    const connection = await connectTo(arena.directory)
    connection.end()
    expect(await guard.leave()).toBe('stopped')
    await arena.deserted()
  })
})

/** Half a second is what the Node watchdog takes to see a record. */
function isRemembered({ paths }: Arena): boolean {
  return Date.now() - statSync(paths.record).mtimeMs > 1_000
}
