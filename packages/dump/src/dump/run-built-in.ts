import { readFile } from 'node:fs/promises'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { join } from 'node:path'
import { MessageChannel, Worker } from 'node:worker_threads'
import { Client } from 'pg'
import { DumpError } from '../errors.ts'
import { clientOptionsOf } from '../source.ts'
import type { Sink } from './sink.ts'
import type { FromWorker, WorkerInput } from './pg-dump-worker.ts'
import type { Run } from './run.ts'

/**
 * Runs the pg_dump of this package in a thread. pg_dump reaches the server through two functions that block: its thread sleeps
 * while this thread carries the bytes to the server's socket and back.
 */
export async function runBuiltIn(run: Run, sink: Sink): Promise<void> {
  const { host, port, user, database, password } = await connectionOf(run)
  const program = await pgDump()
  const socket = connect(
    host.startsWith('/')
      ? { path: join(host, `.s.PGSQL.${port}`) }
      : ({ host, port } satisfies NetConnectOpts),
  )
  const { port1: ours, port2: its } = new MessageChannel()
  const wakeUps = new Int32Array(new SharedArrayBuffer(4))
  const input: WorkerInput = {
    program,
    port: its,
    wakeUps,
    args: [...run.args, '--no-password', `--username=${user}`, `--dbname=${database}`],
    env: {
      PGPASSWORD: password,
      PGSSLMODE: 'disable',
      PGGSSENCMODE: 'disable',
      PGAPPNAME: 'pg_dump',
    },
  }
  const worker = new Worker(new URL('pg-dump-worker.js', import.meta.url), {
    workerData: input,
    transferList: [its],
    // Our own environment and options of Node, such as those of a test runner, are not meant for the thread.
    execArgv: [],
    env: {},
  })
  const wake = (message: Uint8Array | null) => {
    // oxlint-disable-next-line require-post-message-target-origin -- this is no window
    ours.postMessage(message)
    Atomics.add(wakeUps, 0, 1)
    Atomics.notify(wakeUps, 0)
  }
  try {
    await new Promise<void>((settle, fail) => {
      const abort = () => fail(run.signal?.reason as Error)
      run.signal?.addEventListener('abort', abort, { once: true })
      const carrier = new Carrier(socket, wake)
      // After the first answer of the server, pg_dump itself reports the end of the connection, with the last message of the server.
      socket.on('error', (error) => (socket.bytesRead > 0 ? wake(null) : fail(error)))
      ours.on('message', (bytes: Uint8Array) => socket.write(bytes))
      const said: string[] = []
      worker.on('error', fail)
      worker.on('exit', () =>
        fail(
          new DumpError(
            'ERR_DUMP_FAILED',
            said.join('\n') || 'the built-in pg_dump ended unexpectedly',
          ),
        ),
      )
      worker.on('message', (message: FromWorker) => {
        if ('words' in message) said.push(message.words)
        else if ('taken' in message) carrier.taken(message.taken)
        else if ('chunk' in message)
          sink.take(message.chunk).then(() => wake(new Uint8Array(0)), fail)
        else if (message.status === 0) {
          said.forEach(run.onNotice)
          settle()
        } else fail(new DumpError('ERR_DUMP_FAILED', said.join('\n')))
      })
    })
  } finally {
    socket.destroy()
    ours.close()
    await worker.terminate()
  }
}

let compiled: Promise<WebAssembly.Module> | undefined

/**
 * The compiled pg_dump, which all dumps of this process share. Most of a small dump's CPU time goes to the optimizing compiler,
 * because pg_dump has a huge function.
 */
async function pgDump(): Promise<WebAssembly.Module> {
  compiled ??= readFile(new URL('pg_dump.wasm', import.meta.url)).then(WebAssembly.compile)
  try {
    return await compiled
  } catch (error) {
    compiled = undefined
    throw error
  }
}

/** The largest number of bytes from the server that may wait for the thread. */
const mostWaiting = 4 * 2 ** 20

/** Passes the server's data on to the thread, no faster than the thread reads them. */
class Carrier {
  readonly #socket: Socket
  #waiting = 0

  constructor(socket: Socket, wake: (message: Uint8Array | null) => void) {
    this.#socket = socket
    socket.on('data', (bytes: Uint8Array) => {
      wake(bytes)
      this.#waiting += bytes.length
      if (this.#waiting > mostWaiting) socket.pause()
    })
    socket.on('end', () => wake(null))
  }

  taken(bytes: number): void {
    this.#waiting -= bytes
    if (this.#waiting <= mostWaiting) this.#socket.resume()
  }
}

/** The connection's options, with the defaults that node-postgres adds. */
async function connectionOf(run: Run): Promise<{
  host: string
  port: number
  user: string
  database: string
  password: string
}> {
  const {
    host,
    port,
    user = '',
    database = '',
    password,
  } = new Client(clientOptionsOf(run.source, run.database))
  const told: unknown =
    typeof password === 'function' ? await (password as () => unknown)() : password
  return { host, port, user, database, password: typeof told === 'string' ? told : '' }
}
