import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { createPgDump } from 'pg-dump-factory'

/** The data that the thread gets. */
export interface WorkerInput {
  /** The compiled pg_dump. */
  readonly program: WebAssembly.Module
  /** The connection to the server: bytes in both directions, `null` at its end, and nothing when a chunk was written. */
  readonly port: MessagePort
  /** Counts what was sent to the port. */
  readonly wakeUps: Int32Array
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/**
 * The messages of the thread: a part of the output, which needs an empty message as an answer; how many bytes of the server it has
 * read; text for people; how it ended.
 */
export type FromWorker =
  | { readonly taken: number }
  | { readonly chunk: Uint8Array }
  | { readonly words: string }
  | { readonly status: number }

const { program, port, wakeUps, args, env } = workerData as WorkerInput
// oxlint-disable-next-line require-post-message-target-origin -- this is no window
const say = (message: FromWorker) => parentPort?.postMessage(message)

/** The data that the server has sent and pg_dump has not read yet. */
const received: Uint8Array[] = []
let isAtEnd = false
let writing = false

/** Sleeps until there is a message, and takes it. */
function takeMessage(): void {
  for (;;) {
    const seen = Atomics.load(wakeUps, 0)
    const message = receiveMessageOnPort(port)
    if (message === undefined) {
      Atomics.wait(wakeUps, 0, seen)
      continue
    }
    const bytes = message.message as Uint8Array | null
    if (bytes === null) isAtEnd = true
    else if (bytes.length === 0) writing = false
    else {
      received.push(bytes)
      say({ taken: bytes.length })
    }
    return
  }
}

/** Works like read(2) on a blocking socket: gives at least a byte, or 0 at the end. */
function read(into: Uint8Array): number {
  while (received.length === 0 && !isAtEnd) takeMessage()
  const [first] = received
  if (first === undefined) return 0
  const part = first.subarray(0, into.length)
  into.set(part)
  if (part.length === first.length) received.shift()
  else received[0] = first.subarray(part.length)
  return part.length
}

const output = new Uint8Array(64 * 1024)
let filled = 0

function flush(): void {
  if (filled === 0) return
  writing = true
  say({ chunk: output.slice(0, filled) })
  filled = 0
  while (writing) takeMessage()
}

const pgDump = await createPgDump({
  thisProgram: '/pg_dump',
  noExitRuntime: false,
  instantiateWasm: (imports, receive) => {
    const instance = new WebAssembly.Instance(program, imports)
    receive(instance, program)
    return instance.exports
  },
  stdout: (byte) => {
    if (byte === null) return
    output[filled++] = byte
    if (filled === output.length) flush()
  },
  printErr: (words) => say({ words }),
  preRun: [
    (instance) => {
      // It looks for itself, and complains if it is not there.
      instance.FS_createDataFile('/', 'pg_dump', new Uint8Array(), true, false)
      Object.assign(
        instance.ENV,
        { HOME: '/home/postgres', USER: 'postgres', LOGNAME: 'postgres' },
        env,
      )
      instance.onRuntimeInitialized = () => {
        const reader = instance.addFunction(
          (at, size) => read(instance.HEAPU8.subarray(at, at + size)),
          'iii',
        )
        const writer = instance.addFunction((at, size) => {
          port.postMessage(instance.HEAPU8.slice(at, at + size))
          return size
        }, 'iii')
        // oxlint-disable-next-line no-underscore-dangle -- Emscripten's names of C functions
        instance._pgl_set_rw_cbs(reader, writer)
      }
    },
  ],
})
const status = pgDump.callMain([...args])
flush()
say({ status })
