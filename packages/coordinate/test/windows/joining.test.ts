import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Guard, readRecord, type Subject } from '@howdah/coordinate'
import { linuxOnly, until } from '@howdah/fixtures'
import { acquire, inspect, tryAcquire } from '@howdah/lock'
import { Arena } from '../arena.ts'
import { isFree, watchdogKinds } from '../locks-in-use.ts'
import { pathsOf, type ServerOptions } from '../server/directory-subject.mjs'
import { OwnShell } from './own-shell.ts'

/** A subject that asks a test first. */
function asking(
  subject: Subject<ServerOptions>,
  first: Partial<Subject<ServerOptions>>,
): Subject<ServerOptions> {
  return { ...subject, ...first }
}

describe('who joins looks again once it has both locks', () => {
  test('whether the change lock is still that of the subject', async () => {
    await using arena = new Arena()
    const { paths, directory } = arena
    await (await Guard.join(arena.subject, paths, { start: {} })).leave()
    await arena.deserted()
    let looks = 0
    let startedUnderChange: boolean | null = null
    const subject = asking(arena.subject, {
      exists: async () => {
        looks++
        // Change is taken: somebody who takes no locks puts another directory in the place of this one.
        if (looks === 2) {
          renameSync(directory, arena.beside('old'))
          await arena.subject.prepare?.()
          mkdirSync(`${directory}/data`)
          for (const name of ['EXISTS', 'watchdog']) writeFileSync(`${directory}/${name}`, '')
        }
        return await arena.subject.exists()
      },
      start: async (options, launch) => {
        const change = await tryAcquire(paths.change)
        startedUnderChange = change === null
        change?.release()
        return await arena.subject.start(options, launch)
      },
    })
    await using guard = await Guard.join(subject, paths, { start: {} })
    expect(guard.started).toBe('modified')
    expect(startedUnderChange).toBe(true)
  })

  test('whether the subject still exists', async () => {
    await using arena = new Arena()
    const answers = [true, true, false]
    const asked: string[] = []
    const subject = asking(arena.subject, {
      exists: async () => {
        asked.push('exists')
        return answers.shift() ?? (await arena.subject.exists())
      },
      start: async (options, launch) => {
        asked.push('start')
        return await arena.subject.start(options, launch)
      },
    })
    await (await Guard.join(arena.subject, arena.paths, { start: {} })).leave()
    await using guard = await Guard.join(subject, arena.paths, { start: {} })
    expect(guard.started).toBe('modified')
    expect(asked.slice(0, 4)).toEqual(['exists', 'exists', 'exists', 'exists'])
    expect(asked.filter((what) => what === 'start')).toHaveLength(1)
  })
})

describe('a server that cannot be judged', () => {
  /** A subject of which it cannot be told for so many looks whether it runs. */
  function unclear(
    arena: Arena,
    looks: number,
  ): { subject: Subject<ServerOptions>; seen: () => number } {
    let seen = 0
    const running = async () => {
      seen++
      if (seen > looks) return await arena.subject.running()
      throw Object.assign(new Error('it lives elsewhere'), { code: 'ERR_COORDINATE_ELSEWHERE' })
    }
    return { subject: asking(arena.subject, { running }), seen: () => seen }
  }

  test('is given a moment to go, for the processes of a killed container do not end at once', async () => {
    await using arena = new Arena()
    const { subject, seen } = unclear(arena, 3)
    await using guard = await Guard.join(subject, arena.paths, { start: {} })
    expect(guard.started).toBe('modified')
    expect(seen()).toBe(4)
  })

  test('is refused if it stays, and at once if one does not want to wait', async () => {
    await using arena = new Arena()
    const { subject, seen } = unclear(arena, Infinity)
    const elsewhere = { code: 'ERR_COORDINATE_ELSEWHERE' }
    const hasty = Guard.join(subject, arena.paths, { start: {}, timeout: 0 })
    await expect(hasty).rejects.toMatchObject(elsewhere)
    expect(seen()).toBe(1)
    await expect(Guard.join(subject, arena.paths, { start: {} })).rejects.toMatchObject(elsewhere)
    expect(seen()).toBeGreaterThan(2)
    expect(arena.count('start')).toBe(0)
  })
})

test(
  'the creator of a subject takes use only after the watchdog of its making has ended, even if that watchdog is late',
  linuxOnly('flock(1)'),
  async () => {
    await using arena = new Arena()
    const { paths } = arena
    const subject = asking(arena.subject, {
      create: async (options, creation) => {
        const outcome = await arena.subject.create?.(options, creation)
        // A watchdog that the system has suspended: it has its lock, and asks for use in a while.
        const late = ['-c', `echo locked; sleep 0.5; exec flock ${paths.use} true`]
        const { stdout } = spawn('flock', [paths.watchdog, 'sh', ...late])
        await once(stdout, 'data')
        return outcome ?? 'unmodified'
      },
    })
    await using guard = await Guard.join(subject, paths, { start: {} })
    expect(guard.started).toBe('modified')
    expect(arena.has('watchdog')).toBe(true)
  },
)

test(
  'who leaves neither stops nor removes what a server of another container works on',
  linuxOnly('pid namespaces'),
  async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const guard = await Guard.join(subject, paths, { start: {}, atEnd: 'destroy' })
    await arena.killServer()
    const record = readFileSync(paths.record, 'utf8')
    writeFileSync(paths.record, record.replace(/^namespace .*$/m, 'namespace pid:[1]'))
    using server = await acquire(paths.server)
    expect(await guard.leave()).toBe('kept')
    expect(server.held && existsSync(paths.use)).toBe(true)
  },
)

test.each(watchdogKinds)(
  'who comes while a server lingers has it linger anew (%s)',
  linuxOnly('/proc/locks, which tells who waits'),
  async (watchdog) => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const options = { start: {}, watchdog }
    const first = await Guard.join(subject, paths, { ...options, linger: 100 })
    expect(await first.leave()).toBe('kept')
    const second = await Guard.join(subject, paths, { ...options, linger: 60_000 })
    // It has let the server linger for the first, and waits for the second.
    const waits = async () => (await inspect(paths.use)).waiters.length > 0
    await until('the watchdog waits for use', waits)
    expect(await second.leave()).toBe('kept')
    const isLetGo = async () => {
      const { holders, waiters } = await inspect(paths.use)
      return holders.length + waiters.length === 0
    }
    await until('the watchdog lets it linger, or has stopped it', isLetGo)
    expect(arena.events().map(([what]) => what)).toEqual(['start'])
  },
)

test.each(['stop', 'destroy'] as const)(
  'the last to leave does this under change and use, while the record names the server: %s',
  async (atEnd) => {
    await using arena = new Arena()
    const { paths } = arena
    const seen: unknown[] = []
    const look = async () => {
      const held = [paths.change, paths.use].map(async (path) => {
        const lock = await tryAcquire(path, { create: false, mode: 'shared' })
        lock?.release()
        return lock === null
      })
      seen.push(...(await Promise.all(held)), readRecord(paths)?.process.pid)
    }
    const subject = asking(arena.subject, {
      stop: async () => {
        await look()
        return await arena.subject.stop()
      },
      destroy: async (ending) => {
        await look()
        return await arena.subject.destroy(ending)
      },
    })
    const guard = await Guard.join(subject, paths, { start: {}, atEnd })
    const pid = arena.pid('server')
    expect(await guard.leave()).toBe(atEnd === 'stop' ? 'stopped' : 'destroyed')
    expect(seen).toEqual([true, true, pid])
    expect(existsSync(paths.record)).toBe(false)
  },
)

test('what has to exist, and vanishes before one has its lock, is not made anew', async () => {
  await using arena = new Arena()
  await (await Guard.join(arena.subject, arena.paths, { start: {} })).leave()
  const answers = [true, false]
  let isMade = false
  const subject = asking(arena.subject, {
    exists: async () => answers.shift() ?? (await arena.subject.exists()),
    create: async () => {
      isMade = true
      return 'modified'
    },
  })
  const joining = Guard.join(subject, arena.paths, { start: {}, ifExists: true })
  await expect(joining).rejects.toMatchObject({ code: 'ERR_COORDINATE_DOES_NOT_EXIST' })
  expect(isMade).toBe(false)
})

test('what is made to be thrown away has its mark, though its subject does not write it', async () => {
  await using arena = new Arena()
  const { paths, directory } = arena
  const subject = asking(arena.subject, {
    create: async (options, creation) =>
      (await arena.subject.create?.(options, { ...creation, throwAway: false })) ?? 'unmodified',
  })
  const guard = await Guard.join(subject, paths, { start: {}, throwAway: true })
  expect(existsSync(paths.throwAway?.mark ?? '')).toBe(true)
  expect(await guard.leave()).toBe('destroyed')
  expect(existsSync(directory)).toBe(false)
})

describe('a record outlives the server that it names', () => {
  test('and the longest wish to linger does so, too', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const first = await Guard.join(subject, paths, { start: {}, linger: 60_000 })
    await arena.killServer()
    const second = await Guard.join(subject, paths, { start: {}, linger: 10 })
    expect(second.started).toBe('modified')
    expect(readRecord(paths)?.linger).toBe(60_000)
    expect(await first.leave()).toBe('in-use')
    expect(await second.leave()).toBe('kept')
  })

  test('if that was killed, so that one can tell which server has left its files', async () => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const guard = await Guard.join(subject, paths, { start: {} })
    const pid = arena.pid('server')
    await arena.killServer()
    expect(await guard.leave()).toBe('stopped')
    expect(readRecord(paths)?.process.pid).toBe(pid)
    const next = await Guard.join(subject, paths, { start: {} })
    expect(await next.leave()).toBe('stopped')
    expect(readRecord(paths)).toBeNull()
  })
})

describe('a server that is recorded, and that its subject does not know yet', () => {
  test('is waited for by who joins, who starts no other', async () => {
    await using arena = new Arena()
    await using first = await Guard.join(arena.subject, arena.paths, { start: {} })
    let isKnown = false
    const subject = asking(arena.subject, {
      process: async () => (isKnown ? await arena.subject.process() : null),
      running: async () => isKnown && (await arena.subject.running()),
      start: async () => {
        throw new Error('another was to be started')
      },
    })
    const onWait = () => {
      isKnown = true
    }
    await using second = await Guard.join(subject, arena.paths, { start: {}, onWait })
    expect([first.started, second.started]).toEqual(['modified', 'unmodified'])
    expect(isKnown).toBe(true)
  })

  test('is stopped by the last to leave', async () => {
    await using arena = new Arena()
    let isKnown = true
    const subject = asking(arena.subject, {
      process: async () => (isKnown ? await arena.subject.process() : null),
    })
    const guard = await Guard.join(subject, arena.paths, { start: {} })
    // Nobody else is to stop it.
    await killWatchdog(arena)
    isKnown = false
    expect(await guard.leave()).toBe('stopped')
    expect(arena.has('server')).toBe(false)
    expect(arena.count('gone')).toBe(1)
  })
})

describe('a server is watched', linuxOnly('a watchdog that is a shell'), () => {
  test('before it is started, if its subject was made just now: that may be to be thrown away', async () => {
    using shell = new OwnShell()
    await using arena = new Arena({ shell: shell.path })
    const log = shell.beside('log')
    // A watchdog that takes its time.
    shell.asWatchdog(`sleep 0.3; echo watched >>'${log}'`)
    const subject = asking(arena.subject, {
      start: async (options, launch) => {
        appendFileSync(log, 'started\n')
        return await arena.subject.start(options, launch)
      },
    })
    const orderOf = async () => {
      rmSync(log, { force: true })
      await (await Guard.join(subject, arena.paths, { start: {} })).leave()
      await arena.deserted()
      return readFileSync(log, 'utf8').trim().split('\n')
    }
    expect(await orderOf()).toEqual(['watched', 'started'])
    // Else the two come up side by side.
    expect(await orderOf()).toEqual(['started', 'watched'])
  })

  test('or stopped: one that lingers, and has lost its watchdog, ends with the one who came and found that there can be none', async () => {
    await using arena = new Arena()
    const { subject, paths, directory } = arena
    const guard = await Guard.join(subject, paths, { start: {}, linger: 60_000 })
    expect(await guard.leave()).toBe('kept')
    await killWatchdog(arena)
    const without = pathsOf(directory, { shell: '/no/such/shell' })
    const joining = Guard.join(subject, without, { start: {} })
    await expect(joining).rejects.toMatchObject({ code: 'ERR_COORDINATE_WATCHDOG' })
    expect(arena.events().map(([what]) => what)).toEqual(['start', 'stop', 'gone'])
  })

  test('before it runs: if there is no watchdog, it never does', async () => {
    using shell = new OwnShell()
    await using arena = new Arena({ shell: shell.path })
    // It is made before, or nothing would be started side by side.
    await (await Guard.join(arena.subject, pathsOf(arena.directory), { start: {} })).leave()
    await arena.deserted()
    rmSync(`${arena.directory}.events`)
    // Its watchdog fails when the server is recorded and has had the time to run.
    shell.asWatchdog(`while [ ! -e '${arena.paths.record}' ]; do sleep 0.01; done
      for _ in 1 2 3 4 5 6 7 8 9 10; do [ -e '${arena.directory}.events' ] || sleep 0.05; done
      echo 'no watchdog today'; exit 1`)
    const joining = Guard.join(arena.subject, arena.paths, { start: {} })
    await expect(joining).rejects.toMatchObject({
      code: 'ERR_COORDINATE_WATCHDOG',
      message: expect.stringContaining('no watchdog today'),
    })
    expect(arena.count('start')).toBe(0)
    expect(existsSync(arena.paths.record)).toBe(false)
    await arena.deserted()
  })

  test('while it lingers, also when its watchdog was killed before its last user left', async () => {
    await using arena = new Arena()
    const guard = await Guard.join(arena.subject, arena.paths, { start: {}, linger: 100 })
    await killWatchdog(arena)
    expect(await guard.leave()).toBe('kept')
    await arena.deserted()
    expect(arena.count('gone')).toBe(1)
  })
})

async function killWatchdog(arena: Arena): Promise<void> {
  process.kill(arena.pid('watchdog'), 'SIGKILL')
  await until('its lock is free', () => isFree(arena.paths.watchdog))
}
