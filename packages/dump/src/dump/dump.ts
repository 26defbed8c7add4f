import type { Writable } from 'node:stream'
import { DumpError } from '../errors.ts'
import type { Source } from '../source.ts'
import { findPgDump } from './find-pg-dump.ts'
import { runBuiltIn } from './run-built-in.ts'
import { runProgram } from './run-program.ts'
import { Sink } from './sink.ts'

/** Options of {@link dump}. */
export interface DumpOptions {
  /** The output: a file, which appears completely at the end, or a stream, which is ended. */
  readonly to: string | Writable
  /** The database; by default that of the session or the URL. */
  readonly database?: string | undefined
  /** pg_dump's own options, such as `['--schema-only', '--table=users']`, except for those of the connection and the output. */
  readonly args?: readonly string[] | undefined
  /** `'built-in'`: do not use a pg_dump of this machine. By default it is preferred. */
  readonly program?: 'built-in' | undefined
  readonly signal?: AbortSignal | undefined
  /** Called with the number of bytes that have been written. */
  readonly onProgress?: ((bytes: number) => void) | undefined
  /** Called with each line that a successful pg_dump prints, such as a warning. */
  readonly onNotice?: ((words: string) => void) | undefined
}

/** What {@link dump} has written. */
export interface Dumped {
  readonly bytes: number
  /** The absolute path; `null` for a stream. */
  readonly path: string | null
  /** The pg_dump that was used: its path, or `'built-in'`. */
  readonly program: string
}

/**
 * Dumps a database by pg_dump: by a pg_dump of this machine that is at least as new as the server, or else by the pg_dump 18 of this
 * package, which is WebAssembly.
 *
 * The built-in one writes SQL, or the custom or tar format with `--format`. It cannot write a directory, compress, or run parallel jobs.
 *
 * Throws `ERR_DUMP_OPTION` for an option that howdah sets itself, and `ERR_DUMP_FAILED` with the output of pg_dump. An existing file is
 * unchanged then.
 *
 * @example
 * await using session = await run()
 * await dump(session, { to: 'app.sql' })
 */
export async function dump(source: Source, options: DumpOptions): Promise<Dumped> {
  const { database, args = [], signal, onNotice = () => undefined } = options
  refuseOptions(args)
  signal?.throwIfAborted()
  const found = options.program === 'built-in' ? null : await findPgDump(source, database)
  const run = { source, database, args, signal, onNotice }
  const write = async (sink: Sink) => {
    await (found === null ? runBuiltIn(run, sink) : runProgram(found, run, sink))
  }
  const sink = new Sink(options)
  await sink.fill(write)
  return { bytes: sink.bytes, path: sink.path, program: found ?? 'built-in' }
}

/** Options of the connection and of the output, which our own options set. */
const notOurs =
  /^(?:-[fhpUWwd].*|--(?:file|host|port|username|password|no-password|dbname|role-password)(?:=.*)?)$/

function refuseOptions(args: readonly string[]): void {
  const wrong = args.find((arg) => notOurs.test(arg))
  if (wrong !== undefined)
    throw new DumpError(
      'ERR_DUMP_OPTION',
      `pg_dump's ${wrong} is set by howdah: give the database by "database" or -d, the file by "to" or --to`,
    )
}
