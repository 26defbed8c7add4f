import { delimiter } from 'node:path'

/**
 * The environment of a server and of initdb. Nothing of the caller's environment is in it, so that no `PGPORT`, `TZ`,
 * `LC_ALL` or `PGCLIENTENCODING` leaks into a cluster.
 */
export function serverEnvironment(bindir: string): Record<string, string> {
  return {
    PATH: [bindir, '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
    LC_ALL: 'C',
    TZ: 'UTC',
  }
}

/** The variables of libpq that say where and how to connect, without a session's preferences such as `PGTZ`. */
const connectionVariables = new Set(
  `DATABASE_URL
   PGHOST PGHOSTADDR PGPORT PGDATABASE PGUSER PGPASSWORD PGPASSFILE PGSERVICE PGSERVICEFILE
   PGSYSCONFDIR PGREALM PGREQUIREAUTH PGREQUIREPEER PGREQUIRESSL PGCHANNELBINDING
   PGKRBSRVNAME PGSSLMODE PGSSLNEGOTIATION PGSSLCOMPRESSION PGSSLCERT PGSSLKEY PGSSLCERTMODE
   PGSSLROOTCERT PGSSLCRL PGSSLCRLDIR PGSSLSNI PGSSLMINPROTOCOLVERSION
   PGSSLMAXPROTOCOLVERSION PGGSSENCMODE PGGSSLIB PGGSSDELEGATION PGLOADBALANCEHOSTS
   PGTARGETSESSIONATTRS PGMINPROTOCOLVERSION PGMAXPROTOCOLVERSION`.split(/\s+/),
)

/**
 * The caller's environment without the variables that could lead a client elsewhere, such as `PGSERVICE`, `PGHOSTADDR` and
 * `PGSSLMODE`. A session's preferences (`PGOPTIONS`, `PGTZ`, `PGAPPNAME`, …) stay.
 *
 * Source: "Environment Variables" in the libpq chapter of PostgreSQL's manual.
 */
export function withoutConnection(environment: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(environment).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !connectionVariables.has(entry[0]),
  )
  return Object.fromEntries(kept)
}
