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
 * The role to connect as: the superuser on record, or else the one named like the user who runs us.
 *
 * See {@link recordSuperuser} for how a cluster that howdah did not create comes to have one on record.
 */
export async function superuserOf(directory: DataDirectory): Promise<string> {
  return (await readMark(directory))?.superuser ?? invokingUser()
}

/**
 * Makes sure that a stopped cluster has a superuser on record, also one that howdah did not create. The caller holds the
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

/** A superuser of a stopped cluster: the one named like the user who runs us, or else the oldest. */
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
 * The superuser of a running server by the name that is asked for, which is the one on record or the one that `initdb` made;
 * without a name, the one on record. Throws `ERR_CLUSTER_OTHER_SUPERUSER`.
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
