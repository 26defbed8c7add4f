// web-lock-client DIRECTORY: asks for locks as it is told by lines of JSON, and tells in lines what became of them. As a process it talks
// by stdin and stdout, as a worker thread by messages.
import { createInterface } from 'node:readline'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { LockManager } from '@howdah/lock/web-locks'

const tell = isMainThread
  ? (line) => console.log(line)
  : // oxlint-disable-next-line unicorn/require-post-message-target-origin -- this is the port of a thread, which has no origin
    (line) => parentPort.postMessage(line)
const locks = new LockManager(isMainThread ? process.argv[2] : workerData)
const releases = new Map()
const aborts = new Map()

const operations = {
  request({ id, name, options = {}, abortable }) {
    const controller = new AbortController()
    aborts.set(id, controller)
    const given = abortable ? { ...options, signal: controller.signal } : options
    const held = (lock) => {
      tell(`${lock === null ? 'not available' : 'granted'} ${id}`)
      return lock === null ? undefined : new Promise((resolve) => releases.set(id, resolve))
    }
    locks.request(name, given, held).then(
      () => tell(`released ${id}`),
      (error) => tell(`${error.name} ${id}`),
    )
  },
  release: ({ id }) => releases.get(id)(),
  abort: ({ id }) => aborts.get(id).abort(),
  query: async () => tell(JSON.stringify(await locks.query())),
  spin({ ms }) {
    tell('spinning')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  },
  exit: () => process.exit(),
  throw() {
    throw new Error('as told')
  },
}

const obey = (line) => {
  const { operation, ...rest } = JSON.parse(line)
  operations[operation](rest)
}
if (isMainThread) createInterface({ input: process.stdin }).on('line', obey)
else parentPort.on('message', obey)
tell('ready')
