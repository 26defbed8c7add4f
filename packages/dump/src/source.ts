import type pg from 'pg'

/** A server to dump from or to load into: a `Session` or `Server` of `@howdah/cluster`, or the URL of any other. */
export type Source = ServerLike | { readonly url: string }

/** The needed part of a `Session` or `Server`. */
export interface ServerLike {
  /** The URL of a database; by default of `database`. */
  readonly url: (database?: string) => string
  readonly database: string
  /** How node-postgres reaches a database. */
  clientOptions(database?: string): pg.ClientConfig
  /** A whole environment, in which libpq's programs find the server, with the server's own programs first on PATH. */
  commandEnv(database?: string): Record<string, string>
}

/** How node-postgres reaches a database of the server. */
export function clientOptionsOf(source: Source, database?: string): pg.ClientConfig {
  if (!isUrl(source)) return source.clientOptions(database)
  const url = new URL(source.url)
  if (database !== undefined) url.pathname = `/${encodeURIComponent(database)}`
  return { connectionString: url.href, application_name: 'howdah' }
}

/** How programs of libpq reach a database of the server: their environment, and the argument that names it. */
export function programAccess(
  source: Source,
  database?: string,
): { env: Record<string, string>; argument: string } {
  if (!isUrl(source)) {
    const env = source.commandEnv(database)
    const name = env['PGDATABASE'] ?? source.database
    // As a connection string, because libpq would read a name with `=` as one.
    return { env, argument: `--dbname=dbname='${name.replaceAll(/[\\']/g, '\\$&')}'` }
  }
  const others = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^PG(?!OPTIONS)/.test(entry[0]),
  )
  return {
    env: Object.fromEntries(others),
    argument: `--dbname=${clientOptionsOf(source, database).connectionString ?? source.url}`,
  }
}

function isUrl(source: Source): source is { readonly url: string } {
  return typeof source.url === 'string'
}
