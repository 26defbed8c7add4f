import { PassThrough } from 'node:stream'
import { postgres, Server, template1 } from '@howdah/cluster'
import { dump, type DumpOptions, load, type ServerLike } from '@howdah/dump'
import { errno } from '@howdah/durable'
import { failed } from '../errors.ts'
import { asking, undisturbed } from '../source.ts'

/** How to carry a database over. */
interface CarryOptions {
  readonly signal?: AbortSignal | undefined
  /** Called with the bytes of SQL so far. */
  readonly onBytes: (bytes: number) => void
}

/** The newest major of servers that the built-in pg_dump dumps. */
const builtIn = 18

/**
 * Makes a database of the old cluster in the new one, with everything that belongs to it: encoding, locale, owner, settings,
 * grants, and all that is in it. What pg_dump writes is loaded at once, and no file is made.
 */
export async function carryDatabase(
  source: Server,
  target: Server,
  database: string,
  { signal, onBytes }: CarryOptions,
): Promise<void> {
  await dropInitial(target, database)
  const ending = new AbortController()
  const either = signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal])
  // The newer pg_dump is to be preferred: see "Upgrading Data via pg_dumpall" in PostgreSQL's manual.
  const newer = target.runtime
  const program: DumpOptions['program'] =
    newer.has('pg_dump') || newer.version.major > builtIn ? undefined : 'built-in'
  const from = new Server(source.dataDir, newer, source.address, database)
  const pipe = new PassThrough({ highWaterMark: 2 ** 20 })
  const errors: unknown[] = []
  const failing = (error: unknown) => {
    errors.push(error)
    ending.abort(error)
    pipe.destroy()
  }
  const dumping = dump(from, {
    to: pipe,
    args: ['--create', '--encoding=UTF8'],
    database,
    program,
    signal: either,
    onProgress: onBytes,
  })
  const into: ServerLike = {
    database,
    url: (name) => target.url(name),
    clientOptions: (name = database) =>
      target.clientOptions({ database: name, options: undisturbed }),
    commandEnv: (name) => target.commandEnv(name),
  }
  const loading = load(into, {
    from: pipe,
    database: otherThan(database),
    signal: either,
  })
  const [, loaded] = await Promise.all([dumping.catch(failing), loading.catch(failing)])
  signal?.throwIfAborted()
  // If one side fails, the pipe breaks for the other.
  const error = errors.find((one) => !errno(one).startsWith('ERR_STREAM_')) ?? errors[0]
  if (error !== undefined) throw failed(source.dataDir, `database ${database}`, error)
  if (loaded !== undefined && loaded.skipped > 0)
    throw failed(
      source.dataDir,
      `database ${database}`,
      `${loaded.skipped} statements were skipped`,
    )
  await asking(target, database, async (client) => await client.query('ANALYZE'))
}

/** Drops what initdb has made of this name, because it may have another encoding, locale and owner. */
async function dropInitial(target: Server, database: string): Promise<void> {
  if (database !== postgres && database !== template1) return
  await asking(target, otherThan(database), async (client) => {
    if (database === template1) await client.query('ALTER DATABASE template1 IS_TEMPLATE false')
    await client.query(`DROP DATABASE IF EXISTS ${database}`)
  })
}

/** A database to be connected to while this one is made. */
function otherThan(database: string): string {
  return database === postgres ? template1 : postgres
}
