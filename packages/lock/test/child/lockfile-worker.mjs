// lockfile-worker FILE: worker threads lock a file by its lock file, and end in two ways.
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import * as lockfile from '@howdah/lock/proper-lockfile'
// oxlint-disable unicorn/require-post-message-target-origin -- these are ports of threads, which have no origin

if (isMainThread) {
  const file = process.argv[2]
  const codeOf = (promise) =>
    promise.then(
      () => 'done',
      ({ code }) => code,
    )
  const first = await thread(file)
  console.log(await codeOf(lockfile.lock(file)), await codeOf(lockfile.unlock(file)))
  await first.terminate()
  await report(file)
  const second = await thread(file)
  second.postMessage('exit')
  await once(second, 'exit')
  await report(file)
  const release = await lockfile.lock(file)
  await release()
} else {
  await lockfile.lock(workerData)
  parentPort.once('message', () => process.exit())
  parentPort.postMessage('held')
}

async function thread(file) {
  const worker = new Worker(new URL(import.meta.url), { workerData: file })
  await once(worker, 'message')
  return worker
}

async function report(file) {
  const locked = await lockfile.check(file)
  console.log(locked ? 'locked' : 'free', existsSync(`${file}.lock`) ? 'left' : 'removed')
}
