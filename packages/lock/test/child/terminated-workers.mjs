// terminated-workers LOCK: has one worker thread hold a lock and another wait for it, and terminates both.
import { once } from 'node:events'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
// oxlint-disable unicorn/require-post-message-target-origin -- these are ports of threads, which have no origin
import { acquire } from '@howdah/lock'

if (isMainThread) {
  const path = process.argv[2]
  const holder = await thread(path)
  const waiter = await thread(path)
  await waiter.terminate()
  await holder.terminate()
  const lock = await acquire(path)
  console.log(lock.mode)
  lock.release()
} else {
  const lock = await acquire(workerData, { onWait: () => parentPort.postMessage('waiting') })
  parentPort.postMessage('held')
  setInterval(() => lock.held, 1_000)
}

async function thread(path) {
  const worker = new Worker(new URL(import.meta.url), { workerData: path })
  const [message] = await once(worker, 'message')
  console.log(message)
  return worker
}
