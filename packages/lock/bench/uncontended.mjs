import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { acquire, acquireSync } from '@howdah/lock'
import fsExt from 'fs-ext'
import extensions from 'fs-native-extensions'
import { lockers, webLocker } from './lockers.mjs'
import { denoNames, start } from './process.mjs'
import { Turns } from './turns.mjs'

/**
 * How often a second a free lock is taken and given back. All ways take turns of a few milliseconds, forwards and then
 * backwards: the first turn after a way that sleeps or starts a process is slower, whichever way it is.
 */
export async function uncontended(directory) {
  const path = join(directory, 'uncontended')
  const asynchronous = (name) => async () => (await lockers[name](path))()
  const ways = {
    '@howdah/lock acquire': async () => (await acquire(path)).release(),
    '@howdah/lock acquireSync': () => acquireSync(path).release(),
    'open + flock + close': () => {
      const fd = openSync(path, 'a')
      fsExt.flockSync(fd, 'exnb')
      closeSync(fd)
    },
    'fs-native-extensions tryLock': () => {
      const fd = openSync(path, 'a')
      extensions.tryLock(fd)
      extensions.unlock(fd)
      closeSync(fd)
    },
    ...Object.fromEntries(
      Object.keys(lockers)
        .filter((name) => !/^@howdah\/lock($|,)|native|\(1\)|blocking/.test(name))
        .map((name) => [name, asynchronous(name)]),
    ),
    ...(globalThis.navigator?.locks && {
      "Node's navigator.locks, in one process only": async () =>
        (await webLocker(navigator.locks, 'name'))(),
    }),
    'flock(1)': () => spawnSync('flock', [path, 'true']),
  }
  const turns = Object.entries(ways).map(([name, way]) => ({ name, turns: new Turns(way) }))
  for (const each of turns) await each.turns.begin()
  for (let round = 0; round < 200; round++) {
    for (const each of turns) await each.turns.take()
    turns.reverse()
  }
  const rates = turns.map(({ name, turns: { rate } }) => ({ name, rate }))
  for (const name of denoNames()) {
    const alone = await start('alone.mjs', name, path)
    rates.push({ name, rate: Number(await alone.line()) })
  }
  const bare = rates.find(({ name }) => name === 'open + flock + close').rate
  return rates.map(({ name, rate }) => ({
    name,
    'per second': Math.round(rate),
    'times open + flock + close': Number((bare / rate).toFixed(2)),
  }))
}
