// workers BINDING LOCK MARK THREADS: threads that load the package and lock at random, and are terminated at random. Under the lock
// each writes its name to MARK and finds it there a moment later; otherwise somebody else had the lock, too. Ends with what
// was found.
import { once } from 'node:events'
import { openSync, readSync, writeSync } from 'node:fs'
import { setImmediate as breathe, setTimeout as sleep } from 'node:timers/promises'
import { Worker, isMainThread, parentPort, threadId, workerData } from 'node:worker_threads'

// oxlint-disable unicorn/require-post-message-target-origin -- these are ports of threads, which have no origin

const random = (below) => Math.floor(Math.random() * below)

if (isMainThread) {
  const [binding, path, mark, threads] = process.argv.slice(2)
  process.env.HOWDAH_FLOCK = binding
  const counts = new Int32Array(new SharedArrayBuffer(8))
  const terminated = Array.from({ length: Number(threads) }, async () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { path, mark, counts } })
    worker.on('error', (error) => {
      throw error
    })
    // Some while they load, most while they lock.
    if (random(4) > 0) await once(worker, 'message')
    await sleep(random(100))
    await worker.terminate()
  })
  if (random(2) === 0) await use(path, mark, counts, Date.now() + random(300))
  await Promise.all(terminated)
  const [held, lost] = counts
  console.log(JSON.stringify({ held, lost }))
  if (random(4) === 0) process.exit()
} else {
  await use(workerData.path, workerData.mark, workerData.counts, Infinity)
}

async function use(path, mark, counts, end) {
  if (random(4) === 0) await sleep(random(50))
  const { acquire, acquireSync, tryAcquire } = await import('@howdah/lock')
  parentPort?.postMessage('loaded')
  const fd = openSync(mark, 'r+')
  const name = `${process.pid}-${threadId}`.padEnd(16)
  const bytes = Buffer.alloc(16)
  const aborted = (error) => {
    if (error.name !== 'TimeoutError' && error.code !== 'ERR_LOCK_TIMEOUT') throw error
    return null
  }
  const ways = [
    () => acquire(path),
    () => acquire(path, { fair: false }),
    () => acquire(path, { mode: 'shared' }),
    () => acquire(path, { timeout: random(20) }).catch(aborted),
    () => acquire(path, { signal: AbortSignal.timeout(random(20)) }).catch(aborted),
    () => tryAcquire(path),
    () => acquireSync(path, { timeout: 1_000 }),
  ]
  while (Date.now() < end) {
    const lock = await ways[random(ways.length)]()
    if (lock === null) {
      await breathe()
      continue
    }
    if (lock.mode === 'exclusive') {
      writeSync(fd, name, 0)
      await breathe()
      readSync(fd, bytes, 0, 16, 0)
      Atomics.add(counts, bytes.toString() === name ? 0 : 1, 1)
    }
    lock.release()
  }
}
