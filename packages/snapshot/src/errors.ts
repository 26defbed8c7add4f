import { ClusterError, type DatabaseUser } from '@howdah/data-directory'

/** The code of an error about a database that others use. */
type InUse = 'ERR_CLUSTER_DATABASE_IN_USE' | 'ERR_CLUSTER_TEMPLATE_IN_USE'

/** Others use a database that is to be copied or replaced. Nothing was changed. */
export function databaseInUse(
  code: InUse,
  dataDir: string,
  database: string,
  users: readonly DatabaseUser[],
): ClusterError {
  const copied = code === 'ERR_CLUSTER_TEMPLATE_IN_USE'
  const isEndable = users.every(({ pid }) => pid !== null)
  const cure = isEndable
    ? 'end that, as with SELECT pg_terminate_backend(…), or let "force" end these connections'
    : 'end the transactions, as with ROLLBACK PREPARED in that database'
  return new ClusterError(
    code,
    dataDir,
    `the database "${database}" cannot be ${copied ? 'copied' : 'replaced'} while somebody is connected to it: ` +
      `${users.map(describeUser).join(', ')}; ${cure}`,
    { database, clients: users },
  )
}

function describeUser({ pid, application, user, state, since }: DatabaseUser): string {
  const what = pid === null ? `the prepared transaction "${application}"` : application
  const when = since.toISOString().replace(/\.\d+Z$/, 'Z')
  const backend = pid === null ? '' : ` (backend ${pid})`
  return `${what === '' ? 'a client' : what} as "${user ?? '?'}", ${state}, since ${when}${backend}`
}

/** There is no database of this name. */
export function databaseMissing(dataDir: string, database: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_DATABASE_MISSING',
    dataDir,
    `there is no database "${database}" on the server of ${dataDir}; name one that there is, or create it`,
    { database },
  )
}

/** The content of a database cannot be replaced, because something outside of it depends on it. Nothing was changed. */
export function databaseNeeded(dataDir: string, database: string, why: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_DATABASE_NEEDED',
    dataDir,
    `the database "${database}" cannot be replaced: ${why}`,
    { database },
  )
}

/** The database has a snapshot of this name. It was not changed. */
export function snapshotExists(dataDir: string, database: string, name: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_SNAPSHOT_EXISTS',
    dataDir,
    `the database "${database}" has a snapshot "${name}" already; drop that, replace it, or choose another name`,
    { database },
  )
}

/** The database has no snapshot of this name. */
export function snapshotMissing(
  dataDir: string,
  database: string,
  name: string,
  others: readonly { readonly name: string; readonly database: string }[],
): ClusterError {
  const own = others.filter((one) => one.database === database).map((one) => `"${one.name}"`)
  const elsewhere = others.filter((one) => one.name === name).map((one) => `"${one.database}"`)
  const what =
    elsewhere.length > 0
      ? `there is one of ${elsewhere.join(', ')}; name that database`
      : own.length > 0
        ? `it has ${own.join(', ')}; name one of these`
        : 'it has none; save one first'
  return new ClusterError(
    'ERR_CLUSTER_SNAPSHOT_MISSING',
    dataDir,
    `the database "${database}" has no snapshot "${name}": ${what}`,
    { database },
  )
}

/** The name cannot be that of a snapshot, or the database cannot have one. */
export function invalidSnapshot(dataDir: string, why: string): ClusterError {
  return new ClusterError('ERR_CLUSTER_INVALID_SNAPSHOT', dataDir, why)
}
