import type { Runtime } from '@howdah/runtime'
import { invokingUser } from '../creating/create.ts'
import {
  ClusterError,
  type DataDirectory,
  type PostmasterPid,
  quote,
  readMark,
  type ServerUser,
  superusersWhileStopped,
  writeMark,
} from '@howdah/data-directory'
import { addressOf } from '../connecting/address-of.ts'
import { postgres, Server } from '../server.ts'

/**
 * The role to connect as: the recorded superuser, or else a role with the name of the user who runs us.
 *
 * {@link recordSuperuser} records a superuser for a cluster that howdah did not create.
 */
export async function superuserOf(directory: DataDirectory): Promise<string> {
  return (await readMark(directory))?.superuser ?? invokingUser()
}

/**
 * Makes sure that a stopped cluster has a recorded superuser, even if howdah did not create the cluster. The caller holds the
 * change and use locks.
 */
export async function recordSuperuser(
  directory: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
): Promise<void> {
  if ((await readMark(directory)) !== null) return
  const superuser = await chooseSuperuser(directory, runtime, user)
  await writeMark(directory, user, { superuser, created: false })
}

/** Chooses a superuser of a stopped cluster: the one with the name of the user who runs us, or else the oldest. */
export async function chooseSuperuser(
  directory: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
): Promise<string> {
  const roles = await superusersWhileStopped(directory, runtime, user)
  const invoker = invokingUser()
  return roles.includes(invoker) ? invoker : (roles[0] ?? invoker)
}

/**
 * The superuser to use on a running server: the recorded one, or with a name the recorded one or the one that `initdb` made.
 * Throws `ERR_CLUSTER_OTHER_SUPERUSER` if neither has the name.
 */
export async function superuserAs(
  directory: DataDirectory,
  runtime: Runtime,
  file: PostmasterPid,
  asked: string | undefined,
): Promise<string> {
  const onRecord = await superuserOf(directory)
  if (asked === undefined || asked === onRecord) return onRecord
  const address = await addressOf(directory, file, onRecord, false)
  const server = new Server(directory.path, runtime, address, postgres)
  const bootstrap = await server.withAdministrator(async (client) => {
    // BOOTSTRAP_SUPERUSERID in PostgreSQL's pg_authid.dat.
    const sql = 'SELECT rolname FROM pg_catalog.pg_roles WHERE oid = 10'
    return (await client.query<{ rolname: string }>(sql)).rows[0]?.rolname
  })
  if (asked === bootstrap) return asked
  const { path } = directory
  throw new ClusterError(
    'ERR_CLUSTER_OTHER_SUPERUSER',
    path,
    `the superuser of the cluster in ${quote(path)} is "${bootstrap}", not "${asked}", and was made with it; ` +
      `connect as "${bootstrap}", use a new data directory or a temporary cluster, or destroy this one first`,
  )
}
