import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { acquire } from '@howdah/lock'
import { instant } from './lockers.mjs'
import { mean, quantile, start } from './process.mjs'

/** What one waiter costs while nothing happens, as a share of one core. */
export async function idleWaiting(directory, seconds = 5) {
  const path = join(directory, 'idle')
  const held = await acquire(path)
  const { child } = await start('waiter.mjs', path)
  const before = await cpuOf(child.pid)
  await sleep(seconds * 1_000)
  const used = (await cpuOf(child.pid)) - before
  child.kill('SIGKILL')
  held.release()
  return { 'CPU of one core (%)': Number(((used / seconds) * 100).toFixed(2)) }
}

/** How long `fs.readFile` takes beside 64 waiters in this process. */
export async function readingBesideWaiters(directory) {
  const path = join(directory, 'waiters')
  const held = await acquire(path)
  const waits = Array.from({ length: 64 }, () => acquire(path))
  const times = []
  for (let count = 0; count < 500; count++) {
    const begin = performance.now()
    await readFile(new URL(import.meta.url))
    times.push(performance.now() - begin)
  }
  held.release()
  for (const wait of waits) (await wait).release()
  return {
    'p50 (ms)': Number(quantile(times, 0.5).toFixed(2)),
    'longest (ms)': Number(Math.max(...times).toFixed(2)),
  }
}

/** How soon the lock of a killed process is taken: by a waiter, and by a process that is blocked in flock(2) itself. */
export async function afterKill(directory, times = 20) {
  const ways = { '@howdah/lock': waitHere, 'flock(2), blocking the thread': waitBlocked }
  const waits = Object.keys(ways).map(() => [])
  for (let count = 0; count < times; count++) {
    for (const [index, wait] of Object.values(ways).entries()) {
      const path = join(directory, `killed-${index}-${count}`)
      const { child } = await start('waiter.mjs', path)
      const waiting = await wait(path)
      await sleep(20 + Math.random() * 50)
      const begin = instant()
      child.kill('SIGKILL')
      waits[index].push(((await waiting()) - begin) / 1e6)
    }
  }
  return Object.keys(ways).map((name, index) => ({
    name,
    'mean (ms)': Number(mean(waits[index]).toFixed(1)),
    'longest (ms)': Number(Math.max(...waits[index]).toFixed(1)),
  }))
}

/** Waits in this process. Gives how to learn when it had the lock. */
async function waitHere(path) {
  const had = acquire(path).then((lock) => {
    const end = instant()
    lock.release()
    return end
  })
  return () => had
}

/** The same in a process that does nothing but wait. */
async function waitBlocked(path) {
  const { line } = await start('blocked.mjs', path)
  return async () => Number(await line())
}

/** Seconds of CPU, from proc_pid_stat(5): fields 14 and 15, in ticks of 10 ms. */
async function cpuOf(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
