import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { acquireSync } from '@howdah/lock'
import fsExt from 'fs-ext'
import extensions from 'fs-native-extensions'
import { lockers } from './lockers.mjs'

const seconds = 1

/** How often a second a free lock is taken and given back. */
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
  const rates = {}
  for (const [name, way] of Object.entries(ways)) {
    await repeat(way, 0.3)
    rates[name] = await repeat(way, seconds)
  }
  const ours = rates['@howdah/lock acquire']
  return Object.entries(rates).map(([name, rate]) => ({
    name,
    'per second': Math.round(rate),
    '@howdah/lock is quicker by': Number((ours / rate).toFixed(2)),
  }))
}

async function repeat(way, duration) {
  const begin = performance.now()
  const end = begin + duration * 1_000
  let times = 0
  while (performance.now() < end) {
    for (let count = 0; count < 10; count++) await way()
    times += 10
  }
  return (times / (performance.now() - begin)) * 1_000
}
