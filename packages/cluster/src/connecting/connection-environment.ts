import type { Address } from './address.ts'
import { connectionUrl, isPlain } from './connection-url.ts'

/** The variables by which libpq and other clients find a server; see `Server.env`. */
export function connectionEnvironment(
  address: Address,
  { dataDir, database }: { dataDir: string; database: string },
): Record<string, string> {
  const { host, port, user, password, authority } = address
  return {
    DATABASE_URL: connectionUrl(address, database),
    PGDATA: dataDir,
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: database,
    ...(password !== null && { PGPASSWORD: password }),
    ...(isPlain(address) && { PGSSLMODE: 'disable' }),
    ...(authority !== undefined && { PGSSLMODE: 'verify-full', PGSSLROOTCERT: authority }),
  }
}
