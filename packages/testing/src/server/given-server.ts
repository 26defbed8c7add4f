import { quote, shellWord } from '@howdah/cluster/inside'
import { TestingError } from '../errors.ts'
import type { TestServer } from './test-server.ts'

/**
 * An existing server, by its URL: `postgresql://user:password@host:port/database?…`, or with `?host=/its/directory` for a
 * socket.
 */
export function givenServer(url: string): TestServer {
  const parsed = parse(url)
  const named = decodeURIComponent(parsed.pathname.slice(1))
  const urlOf = (database: string) => {
    const other = new URL(parsed)
    other.pathname = `/${encodeURIComponent(database)}`
    return other.href
  }
  return {
    isOwn: false,
    isShared: true,
    lingers: false,
    // All users of this server use the same database, so that they see each other's locks.
    administrative: ['postgres', ...(named === '' || named === 'postgres' ? [] : [named])],
    clientOptions: (database) => ({ connectionString: urlOf(database) }),
    url: urlOf,
    env: (database) => variables(parsed, urlOf(database), database),
    path: () => undefined,
    shell: (database) =>
      `howdah testdb shell ${shellWord(database)} --server ${quote(withoutPassword(parsed))}`,
    stay: async () => undefined,
    saveTemplates: () => undefined,
    leave: async () => undefined,
  }
}

function parse(url: string): URL {
  try {
    const parsed = new URL(url)
    if (/^postgres(ql)?:$/.test(parsed.protocol)) return parsed
  } catch {
    // Reported below.
  }
  throw new TestingError(
    'ERR_TESTING_OPTION',
    'server: it is not a URL of a PostgreSQL server; write postgresql://user:password@host:5432/postgres',
  )
}

function variables(url: URL, own: string, database: string): Record<string, string> {
  const { searchParams, hostname, port, username, password } = url
  const ssl = searchParams.get('sslmode')
  const host = searchParams.get('host') ?? hostname.replaceAll(/^\[|\]$/g, '')
  return {
    DATABASE_URL: own,
    PGHOST: decodeURIComponent(host),
    PGPORT: port === '' ? (searchParams.get('port') ?? '5432') : port,
    PGDATABASE: database,
    ...(username !== '' && { PGUSER: decodeURIComponent(username) }),
    ...(password !== '' && { PGPASSWORD: decodeURIComponent(password) }),
    ...(ssl !== null && { PGSSLMODE: ssl }),
  }
}

function withoutPassword(url: URL): string {
  const shown = new URL(url)
  shown.password = ''
  return shown.href
}
