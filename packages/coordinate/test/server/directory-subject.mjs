// A subject for tests: a directory with a server in it, of the same build as a database cluster.
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { identifyProcess } from '@howdah/lock'

const serverProgram = fileURLToPath(new URL('server.mjs', import.meta.url))

/** Where the coordination of the subject in a directory lies. */
export function pathsOf(directory, changes = {}) {
  const last = join(directory, 'EXISTS')
  return {
    change: directory,
    use: last,
    watchdog: join(directory, 'watchdog'),
    server: join(directory, 'data'),
    record: join(directory, 'record'),
    throwAway: {
      mark: join(directory, 'throw-away'),
      directory,
      wreck: join(directory, 'wreck'),
      last,
      pidFile: join(directory, 'server.pid'),
    },
    ...changes,
  }
}

/**
 * The subject in a directory. `at(step)` is called at every step, so that a test can end its process there.
 * Its options: `{ slowStart, slowStop, busyStop, stillness, bound, fails, stdio }`.
 */
export function subjectIn(directory, at = () => undefined) {
  const file = (name) => join(directory, name)

  const read = () => {
    if (!existsSync(file('server.pid'))) return null
    const [pid, startTime, state] = readFileSync(file('server.pid'), 'utf8').split('\n')
    const identity = identifyProcess(Number(pid))
    return identity?.startTime === startTime ? { identity, ready: state === 'ready' } : null
  }

  return {
    async prepare() {
      at('prepare')
      mkdirSync(directory, { recursive: true })
    },
    async create(_options, { throwAway }) {
      at('create')
      for (const name of readdirSync(directory)) rmSync(file(name), { recursive: true })
      writeFileSync(file('wreck'), '')
      at('created-half')
      mkdirSync(file('data'))
      writeFileSync(file('watchdog'), '')
      writeFileSync(file('data/one'), 'one')
      writeFileSync(file('.hidden'), 'hidden')
      if (throwAway) writeFileSync(file('throw-away'), '')
      writeFileSync(file('EXISTS.new'), '1\n')
      renameSync(file('EXISTS.new'), file('EXISTS'))
      rmSync(file('wreck'))
      at('created')
      return 'modified'
    },
    async start(options, launch) {
      at('start')
      const {
        slowStart = 0,
        slowStop = 0,
        busyStop = 0,
        stillness,
        bound = false,
        fails = false,
        env = {},
      } = options
      const child = await launch.spawn({
        command: process.execPath,
        args: [serverProgram, ...[slowStart, slowStop, busyStop].map(String)],
        cwd: directory,
        env,
        signal: 'SIGINT',
        ...(stillness !== undefined && { stillness }),
        ...(bound && { boundTo: directory }),
        stdio: ['ignore', 'ignore', 'ignore'],
      })
      at('launched')
      if (fails) throw new Error('the server does not like it')
      while (!(read()?.ready === true)) {
        if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
        await sleep(5)
      }
      at('started')
      return 'modified'
    },
    async stop() {
      at('stop')
      const running = read()
      if (running === null) return 'unmodified'
      process.kill(running.identity.pid, 'SIGINT')
      while (identifyProcess(running.identity.pid)?.startTime === running.identity.startTime) {
        await sleep(5)
      }
      at('stopped')
      return 'modified'
    },
    async destroy() {
      await this.stop()
      at('destroy')
      writeFileSync(file('wreck'), '')
      rmSync(file('EXISTS'), { force: true })
      at('destroyed-half')
      rmSync(directory, { recursive: true, force: true })
      at('destroyed')
      return 'modified'
    },
    async exists() {
      return existsSync(file('EXISTS'))
    },
    async running() {
      return read()?.ready ?? false
    },
    async process() {
      return read()?.identity ?? null
    },
  }
}

/** A connection to the server in a directory, once it has said hello. */
export async function connectTo(directory) {
  const connection = connect(join(directory, 'socket'))
  await once(connection, 'data')
  return connection
}
