import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { acquire } from '@howdah/lock'
import { lockers } from './lockers.mjs'
import { denoNames, mean, quantile, start } from './process.mjs'

/** Processes in a hot loop that hold a lock for 1 ms each time: how soon it goes over, who gets it, and what that costs. */
export async function contended(directory, processes, seconds = 3) {
  const rows = []
  for (const [index, name] of [...Object.keys(lockers), ...denoNames()].entries()) {
    const path = join(directory, `contended-${processes}-${index}`)
    const contenders = await Promise.all(
      Array.from({ length: processes }, () => start('contender.mjs', name, path, 1)),
    )
    for (const one of contenders) one.tell('start')
    await sleep(seconds * 1_000)
    for (const one of contenders) one.tell('end')
    const results = await Promise.all(contenders.map(async (one) => JSON.parse(await one.line())))
    rows.push({ name, ...summary(results) })
  }
  return rows
}

function summary(results) {
  const holds = results
    .flatMap(({ holds: own }, owner) => own.map(([from, to]) => ({ owner, from, to })))
    .toSorted((one, other) => one.from - other.from)
  const handOvers = []
  for (const [index, { owner, from }] of holds.entries()) {
    const before = holds[index - 1]
    if (before && before.owner !== owner) handOvers.push((from - before.to) / 1e6)
  }
  const counts = results.map(({ holds: own }) => own.length)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const overlaps = holds.filter(({ from }, index) => index > 0 && from < holds[index - 1].to).length
  return {
    acquisitions: counts.join(' '),
    'least share of fair': Number((Math.min(...counts) / (total / counts.length)).toFixed(2)),
    'longest wait (ms)': Math.round(Math.max(...results.map(({ longest }) => longest))),
    'hand-over p50 (ms)': Number(quantile(handOvers, 0.5).toFixed(2)),
    'p99 (ms)': Number(quantile(handOvers, 0.99).toFixed(2)),
    'CPU each (µs)': Math.round((results.reduce((sum, { cpu }) => sum + cpu, 0) / total) * 1_000),
    ...(overlaps > 0 ? { OVERLAPS: overlaps } : {}),
  }
}

/** How long a writer waits for four readers whose holds overlap. */
export async function writerAmongReaders(directory, times = 50) {
  const path = join(directory, 'readers')
  const readers = await Promise.all(
    Array.from({ length: 4 }, (_, index) => start('reader.mjs', path, 5 + index)),
  )
  const waits = []
  for (let count = 0; count < times; count++) {
    const begin = performance.now()
    const lock = await acquire(path)
    waits.push(performance.now() - begin)
    lock.release()
    await sleep(5)
  }
  for (const { child } of readers) child.kill('SIGKILL')
  return {
    'mean (ms)': Number(mean(waits).toFixed(1)),
    'longest (ms)': Number(Math.max(...waits).toFixed(1)),
  }
}
