import type { DataDirectory } from '../data-directory.ts'
import { isChild, processesIn, type WorkingProcess } from '../processes/postgres-processes.ts'
import type { Postmaster } from './postmaster.ts'

/**
 * Whether a server that lets nobody in has no process any more that recovers it. It then never lets anybody in.
 *
 * PostgreSQL 18 gets there if it recovers from the crash of one of its processes and the recovery fails at once, for example
 * on a full disk: older versions end. Measured with 18.4. A server is in this state for a moment, too, when its recovery has
 * succeeded. `false` if this user may not see the children of the server.
 */
export async function hasGivenUp(
  directory: DataDirectory,
  { identity, file }: Postmaster,
): Promise<boolean> {
  if (file.status === 'stopping') return false
  const processes = await processesIn(directory.path)
  const children = processes.filter(({ parent }) => parent === identity.pid)
  // A child that has just begun has no title of its own yet, and may be the one.
  if (!children.every(isChild)) return false
  return children.some(isNamed('checkpointer')) && !children.some(isNamed('startup'))
}

/** The title of a child has its name after `postgres: `, and between them the `cluster_name` if that is set. */
function isNamed(name: string): (one: WorkingProcess) => boolean {
  const pattern = new RegExp(`^postgres: (?:.*: )?${name}\\b`)
  return ({ title }) => pattern.test(title)
}
