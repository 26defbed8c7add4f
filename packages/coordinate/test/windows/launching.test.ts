import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Guard, type Subject } from '@howdah/coordinate'
import { linuxOnly, until } from '@howdah/fixtures'
import { identifyProcess, liveness, type ProcessIdentity } from '@howdah/lock'
import { Arena } from '../arena.ts'
import { pathsOf } from '../server/directory-subject.mjs'
import { OwnShell } from './own-shell.ts'

test('a server is recorded before it runs', async () => {
  await using arena = new Arena()
  const { paths, directory } = arena
  const seen = arena.beside('seen')
  let server: ProcessIdentity | null = null
  const isAlive = () => server !== null && liveness(server) === 'alive'
  const subject: Subject<object> = {
    ...arena.subject,
    // The first thing that it does is to look who is recorded.
    start: async (_, launch) => {
      const { pid = 0 } = await launch.spawn({
        command: '/bin/sh',
        args: [
          '-c',
          'cat "$1" >"$2.new"; mv "$2.new" "$2"; exec sleep 600',
          'sh',
          paths.record,
          seen,
        ],
        cwd: directory,
        env: { PATH: process.env['PATH'] ?? '' },
        signal: 'SIGTERM',
        stdio: ['ignore', 'ignore', 'ignore'],
      })
      server = identifyProcess(pid)
      await until('it has looked', () => existsSync(seen))
      return 'modified'
    },
    stop: async () => {
      if (server !== null) process.kill(server.pid, 'SIGTERM')
      await until('it has ended', () => !isAlive())
      return 'modified'
    },
    process: async () => (isAlive() ? server : null),
    running: async () => isAlive(),
  }
  const guard = await Guard.join(subject, paths, { start: {} })
  const { pid, startTime } = (await subject.process()) ?? {}
  expect(readFileSync(seen, 'utf8')).toContain(`pid ${pid}\nstart ${startTime}\n`)
  expect(await guard.leave()).toBe('stopped')
})

test(
  'a server has a session of its own, which no terminal of ours ends',
  linuxOnly('/proc, which tells the session'),
  async () => {
    await using arena = new Arena()
    await using guard = await Guard.join(arena.subject, arena.paths, { start: {} })
    expect(guard.started).toBe('modified')
    for (const role of ['server', 'watchdog'] as const) {
      const pid = arena.pid(role)
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      const [, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      expect([group, session]).toEqual([String(pid), String(pid)])
    }
  },
)

test('a server never runs if its starter is killed before the watchdog is there', async () => {
  using shell = new OwnShell()
  await using arena = new Arena({ shell: shell.path })
  // It is made before, or nothing would be started side by side.
  const other = pathsOf(arena.directory)
  await (await Guard.join(arena.subject, other, { start: {} })).leave()
  await arena.deserted()
  const before = arena.events()
  const go = shell.beside('go')
  shell.asWatchdog(`while [ ! -e '${go}' ]; do sleep 0.01; done`)
  const user = arena.user()
  await until('the server waits for the word', () => existsSync(arena.paths.record))
  expect(arena.has('server')).toBe(true)
  await user.kill()
  await until('it has ended', () => !arena.has('server'))
  writeFileSync(go, '')
  await arena.deserted()
  expect(arena.events()).toEqual(before)
})
