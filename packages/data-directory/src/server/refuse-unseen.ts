import type { DataDirectory } from '../data-directory.ts'
import { unknownStatus } from '../errors.ts'
import { isChild, processesIn } from '../processes/postgres-processes.ts'
import type { NamelessPidFile, PostmasterPid } from '../files/postmaster-pid.ts'
import { isKeyOf } from './key-of.ts'
import { leadsHere } from './leads-here.ts'
import { seesAllProcesses } from '../processes/sees-all-processes.ts'
import { hasAttached } from '../memory/has-attached.ts'
import { type Segment, segments } from '../memory/segments.ts'
import { workingIn } from '../processes/working-directory.ts'

/**
 * Throws `ERR_CLUSTER_UNKNOWN_STATUS` if the server that wrote `postmaster.pid` may live in another container. It was not
 * started by howdah, so there is no lock by which the kernel could tell.
 *
 * It does not throw in these cases: its shared memory is in this ipc namespace, where the next server finds out by itself
 * whether the memory is in use; the file was copied with the directory; or all processes can be seen and no postmaster works
 * in the directory. A file that seems older than the kernel's boot proves nothing: if the wall clock is set forward, as after
 * the sleep of a virtual machine, the time of the boot in proc_stat(5) moves with it.
 */
export async function refuseForeign(directory: DataDirectory, file: PostmasterPid): Promise<void> {
  if (process.platform !== 'linux') return
  if (file.sharedMemory !== null) {
    const { id, key } = file.sharedMemory
    if (segments().some((one) => one.id === id && one.key === key)) return
  }
  if (isOfCopy(directory, file)) return
  const servers = await serversIn(directory)
  if (servers.length === 0 && seesAllProcesses()) return
  const [server] = servers
  const where =
    server === undefined
      ? `process ${file.pid} of another container, or of one that is no more`
      : `process ${file.pid} of another container (pid ${server} here)`
  throw unknownStatus(
    directory.path,
    `${directory.pidFile} names ${where}, which howdah did not start; ` +
      'use it from there, or stop it there; when you are sure that no server runs there, remove the file',
  )
}

/**
 * Throws `ERR_CLUSTER_UNKNOWN_STATUS` if `postmaster.pid` names no process but, according to the kernel, a server runs in the
 * directory: a process works there, or has attached its shared memory.
 */
export async function refuseUnnamed(
  directory: DataDirectory,
  { why }: NamelessPidFile,
): Promise<void> {
  const [server] = await serversIn(directory)
  if (server === undefined && !(await hasMemory(directory))) return
  const who = server === undefined ? '' : `, and a server runs there (pid ${server})`
  throw unknownStatus(
    directory.path,
    `${directory.pidFile} ${why} and so names no process${who}; stop that server${server === undefined ? '' : `: kill -INT ${server}`}, or wait a minute, because it ends by itself without its file`,
  )
}

/** Whether a process has attached a segment that may belong to the directory. */
async function hasMemory(directory: DataDirectory): Promise<boolean> {
  for (const segment of attachedTo(directory)) {
    if (await isOfAnother(directory, segment)) continue
    // The server of another directory may have ended since the list was read. Then nobody tells where it worked.
    if (attachedTo(directory).some(({ id }) => id === segment.id)) return true
  }
  return false
}

/** The segments that a process has attached and that have a key of the directory. */
function attachedTo(directory: DataDirectory): readonly Segment[] {
  return segments().filter((one) => one.attached > 0 && isKeyOf(directory, one.key) === true)
}

/**
 * Whether a segment certainly belongs to the server of another directory. Keys come from inode numbers, and directories on
 * other file systems may have the same inode number.
 *
 * The server that made the segment works in its own directory. The creator's pid may have been reused; the process is still
 * the creator if it is attached to the segment. (PostgreSQL itself compares the device and inode in the segment, which it may
 * read.)
 */
async function isOfAnother(directory: DataDirectory, { id, creator }: Segment): Promise<boolean> {
  if (process.platform !== 'linux' || creator === 0) return false
  const { here, unknown } = await workingIn(directory.path, [creator])
  return here.length + unknown.length === 0 && (await hasAttached(creator, id))
}

/** The pids of the postmasters, in this pid namespace and those below it, that work in the directory. */
export async function serversIn(directory: DataDirectory): Promise<number[]> {
  const all = await processesIn(directory.path)
  return all.filter((one) => !isChild(one)).map(({ identity }) => identity.pid)
}

/** Whether the file was copied with another data directory. */
function isOfCopy(directory: DataDirectory, { dataDir, sharedMemory }: PostmasterPid): boolean {
  const isOwn = sharedMemory === null ? null : isKeyOf(directory, sharedMemory.key)
  if (isOwn !== null) return !isOwn
  // If there is nothing at the path, it may be the path of this directory in a container.
  return leadsHere(dataDir, directory) === false
}
