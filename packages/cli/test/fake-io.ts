import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Io } from '../src/io.ts'

/** An {@link Io} that is not a process, and remembers what is done with it. */
export interface FakeIo extends Io {
  readonly stdin: PassThrough
  readonly stdout: PassThrough
  readonly stderr: PassThrough
  readonly signals: EventEmitter
  /** With what statuses the process would have been ended at once. */
  readonly exits: number[]
  /** All that was written to stdout. */
  readonly out: () => string
  /** All that was written to stderr. */
  readonly err: () => string
}

/** Makes one, with streams that are no terminals, below a directory where no project is. */
export function fakeIo(
  given: { env?: NodeJS.ProcessEnv; cwd?: string; tty?: boolean } = {},
): FakeIo {
  const stdout = Object.assign(new PassThrough(), { isTTY: false })
  const stderr = Object.assign(new PassThrough(), { isTTY: given.tty ?? false, columns: 80 })
  const exits: number[] = []
  return {
    stdin: new PassThrough(),
    stdout,
    stderr,
    env: given.env ?? {},
    cwd: given.cwd ?? '/nowhere',
    signals: new EventEmitter(),
    from: import.meta.url,
    version: '1.2.3',
    exit: (status) => exits.push(status),
    exits,
    out: written(stdout),
    err: written(stderr),
  }
}

function written(stream: PassThrough): () => string {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}
