// What the contenders of a process have in common: their arguments, the order of what is timed, and where they write.
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pss } from './memory.mjs'

const [, given] = process.argv.slice(2)
/** Where this process may write, and which programs there are. */
export const request = JSON.parse(given)
const isRoot = process.getuid() === 0
/** The user of servers, for `spawn`. */
export const asServer = isRoot ? request.owner : {}
const before = pss([process.pid])

/** How much this process and its servers have grown, in bytes. */
export function memoryWith(servers) {
  return pss([process.pid, ...servers]) - before
}

/** Notes how long something takes, in ms. */
export async function timeInto(times, what, action) {
  const start = performance.now()
  const value = await action()
  times[what] = performance.now() - start
  return value
}

/** Times what every contender does, in this order. */
export async function measure({ load, ready, database, reached, stop, servers }) {
  const times = {}
  const time = async (what, action) => await timeInto(times, what, action)
  const library = await time('load', load)
  const running = await time('ready', async () => await ready(library))
  // All of them after the same pause, in which a server starts the processes that come a little later.
  await sleep(200)
  times.memory = memoryWith(servers(running))
  await time('database', async () => await database(running))
  if (reached !== undefined) await time('reached', async () => await reached(running))
  await time('stop', async () => await stop(running))
  return times
}

export async function connect(data, user, pg, database = 'postgres') {
  const client = new pg.Client({ host: data, port: 1, user, database })
  await client.connect()
  await client.query('SELECT 1')
  return client
}

/** A directory of the server's user, which is gone when this process ends. */
export function temporaryDirectory() {
  const directory = mkdtempSync(join(request.home, 'contender-'))
  chmodSync(directory, 0o755)
  if (isRoot) chownSync(directory, request.owner.uid, request.owner.gid)
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  return directory
}
