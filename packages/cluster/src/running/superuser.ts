import type { Runtime } from '@howdah/runtime'
import { invokingUser } from '../creating/create.ts'
import { type DataDirectory, readMark, type ServerUser, writeMark } from '@howdah/data-directory'
import { superusersWhileStopped } from './single-user.ts'

/**
 * As whom to connect: the superuser that is on record, else whoever runs us.
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

/** A superuser of a stopped cluster: whoever runs us if that role is there, else the oldest. */
export async function chooseSuperuser(
  directory: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
): Promise<string> {
  const roles = await superusersWhileStopped(directory, runtime, user)
  const invoker = invokingUser()
  return roles.includes(invoker) ? invoker : (roles[0] ?? invoker)
}
