import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { acquireSync } from '@howdah/lock'
import fsExt from 'fs-ext'
import extensions from 'fs-native-extensions'
import { lockers } from './lockers.mjs'
import { quantile } from './process.mjs'

/**
 * How often a second a free lock is taken and given back.
 *
 * All ways take turns of a few milliseconds, and the quickest tenth of each way's turns counts: what else the machine does
 * then slows all of them, or none.
 */
export async function uncontended(directory) {
  const path = join(directory, 'uncontended')
  const asynchronous = (name) => async () => (await lockers[name](path))()
  const ways = {
    '@howdah/lock acquire': asynchronous('@howdah/lock'),
    '@howdah/lock acquireSync': () => acquireSync(path).release(),
    'open + flock + close': () => {
      const fd = openSync(path, 'a')
      fsExt.flockSync(fd, 'exnb')
      closeSync(fd)
    },
    'fs-ext, asynchronous flock': asynchronous('fs-ext, asynchronous flock'),
    'fs-native-extensions tryLock': () => {
      const fd = openSync(path, 'a')
      extensions.tryLock(fd)
      extensions.unlock(fd)
      closeSync(fd)
    },
    'proper-lockfile': asynchronous('proper-lockfile'),
    'flock(1)': () => spawnSync('flock', [path, 'true']),
  }
  const turns = Object.entries(ways).map(([name, way]) => ({ name, way, times: 1, spent: [] }))
  for (const turn of turns) await size(turn)
  for (let round = 0; round < 200; round++) for (const turn of turns) await take(turn)
  const rates = turns.map(({ name, spent }) => ({ name, rate: 1_000 / quantile(spent, 0.1) }))
  const bare = rates.find(({ name }) => name === 'open + flock + close').rate
  return rates.map(({ name, rate }) => ({
    name,
    'per second': Math.round(rate),
    'times open + flock + close': Number((bare / rate).toFixed(2)),
  }))
}

/** How often a way goes in three milliseconds, once it is warm. */
async function size(turn) {
  const end = performance.now() + 300
  while (performance.now() < end) await turn.way()
  await take(turn)
  turn.times = Math.ceil(3 / turn.spent.pop())
}

async function take({ way, times, spent }) {
  const begin = performance.now()
  for (let count = 0; count < times; count++) await way()
  spent.push((performance.now() - begin) / times)
}
