import {
  DataDirectory,
  endOrphans,
  isChild,
  type PostgresProcess,
  processesIn,
  readMark,
  type WorkingProcess,
} from '@howdah/data-directory'
import { Alone, busy } from '../alone.ts'
import type { Check, Complaint } from '../check.ts'

/** Children of a killed postmaster that still run. They hold its shared memory, so that no server can start. */
export const orphans: Check = {
  name: 'orphans',
  async examine({ processes, own }) {
    const present = (processes ?? []).filter(({ place }) => place === 'here')
    const dataDirs = [...new Set(present.map(({ dataDir }) => dataDir))]
    const found = await Promise.all(
      dataDirs.map((path) =>
        complain(
          path,
          present.filter(({ dataDir }) => dataDir === path),
          own.has(path),
        ),
      ),
    )
    return found.flat()
  },
}

async function complain(
  path: string,
  group: readonly PostgresProcess[],
  mayMend: boolean,
): Promise<Complaint[]> {
  if (!areLeft(group)) return []
  const directory = new DataDirectory(path)
  const pids = group.map(({ identity }) => identity.pid)
  // A cluster that howdah neither made nor started is the responsibility of its owner.
  const mark = await readMark(directory)
  return [
    {
      severity: 'warning',
      subject: { path, ...(pids[0] !== undefined && { pid: pids[0] }) },
      what:
        `the server on ${path} was killed, and processes of it go on without it (pid ${pids.join(', ')}); ` +
        'no server can start there as long as they do',
      cure: `wait until they have ended, or end them with: kill -QUIT ${pids.join(' ')}`,
      mend: mayMend && mark?.created === true ? async () => await end(directory) : undefined,
    },
  ]
}

async function end(directory: DataDirectory): Promise<string | null> {
  using alone = await Alone.with(directory)
  if (alone === null) return busy
  const now = await processesIn(directory.path)
  if (now.length === 0) return null
  if (!areLeft(now)) return 'a server runs there by now'
  const rest = await endOrphans(directory)
  if (rest.length === 0) return null
  return `still there: ${rest.map(({ identity }) => identity.pid).join(', ')}`
}

/**
 * Whether the processes that work in a directory are children without a postmaster. A starting process does not count as a
 * child.
 */
function areLeft(group: readonly WorkingProcess[]): boolean {
  const pids = new Set(group.map(({ identity }) => identity.pid))
  return group.length > 0 && group.every((one) => isChild(one) && !pids.has(one.parent))
}
