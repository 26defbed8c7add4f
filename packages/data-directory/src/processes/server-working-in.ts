import { isChild, processesIn } from './postgres-processes.ts'
import type { DataDirectory } from '../data-directory.ts'
import type { ProcessIdentity } from '@howdah/lock'

/**
 * The server that works in exactly this directory, by device and inode, whatever files are left in it; `null` if there is
 * none or more than one. A server in another container does not count, because it cannot be judged from here.
 *
 * Call it under the change lock before you signal the server, so that no program of ours runs PostgreSQL there in single-user
 * mode.
 */
export async function serverWorkingIn({ path }: DataDirectory): Promise<ProcessIdentity | null> {
  const all = await processesIn(path)
  const pids = new Set(all.map(({ identity }) => identity.pid))
  // A child that was just forked still has the title of its parent.
  const servers = all.filter((one) => !isChild(one) && !pids.has(one.parent))
  const [server] = servers
  return servers.length === 1 && server?.isNested === false ? server.identity : null
}
