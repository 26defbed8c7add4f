import { rm } from 'node:fs/promises'
import { identifyProcess } from '@howdah/lock'
import {
  type DataDirectory,
  findPostmaster,
  isChild,
  processesIn,
  quote,
  readPostmasterPid,
  seesAllProcesses,
  socketLocks,
} from '@howdah/data-directory'
import { Alone, busy } from '../alone.ts'
import type { Check, Complaint } from '../check.ts'
import { ofEach } from '../of-each.ts'

/** The `postmaster.pid` and the lock files of sockets that ended servers have left. */
export const stalePidFiles: Check = {
  name: 'stale-pid-files',
  async examine(scene) {
    const seesAll = seesAllProcesses()
    return await ofEach(scene, async (directory) => {
      const stale = await staleFiles(directory)
      return stale.map((file) => complaintOf(directory, file, seesAll))
    })
  },
}

function complaintOf(
  directory: DataDirectory,
  { path, pid }: StaleFile,
  seesAll: boolean,
): Complaint {
  const isGone = identifyProcess(pid) === null
  const who = isGone ? `process ${pid}, which has ended` : `process ${pid}, which is not its server`
  return {
    severity: 'warning',
    subject: { path, pid },
    what: `${path} is of a server that was killed: it names ${who}`,
    cure: `howdah sees to it at the next start; to remove it: rm ${quote(path)}`,
    // The server may run in another container, and would end itself when the file is removed.
    mend: seesAll ? async () => await remove(directory, path) : undefined,
  }
}

async function remove(directory: DataDirectory, path: string): Promise<string | null> {
  using alone = await Alone.with(directory)
  if (alone === null) return busy
  if (!(await staleFiles(directory)).some((file) => file.path === path)) return null
  // A starting server finds these processes only by this file.
  const left = await processesIn(directory.path)
  if (left.length > 0) return 'processes of the killed server are still there; end them first'
  await rm(path, { force: true })
  return null
}

interface StaleFile {
  readonly path: string
  readonly pid: number
}

/** Throws as `readPostmasterPid` does if it is unknown. */
async function staleFiles(directory: DataDirectory): Promise<StaleFile[]> {
  const file = await readPostmasterPid(directory)
  if ((await findPostmaster(directory)) !== null) return []
  // A server in a container has another pid there.
  if ((await processesIn(directory.path)).some((one) => !isChild(one))) return []
  const locks = await socketLocks(directory)
  const own = file === null ? [] : [{ path: directory.pidFile, pid: file.pid }]
  return [...own, ...locks]
}
