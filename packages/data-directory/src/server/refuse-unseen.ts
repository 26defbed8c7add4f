import { readFileSync, statSync } from 'node:fs'
import type { DataDirectory } from '../data-directory.ts'
import { unknownStatus } from '../errors.ts'
import { isChild, processesIn } from '../processes/postgres-processes.ts'
import type { NamelessPidFile, PostmasterPid } from '../files/postmaster-pid.ts'
import { isKeyOf } from './key-of.ts'
import { seesAllProcesses } from '../processes/sees-all-processes.ts'
import { segments } from '../memory/segments.ts'

/**
 * Throws `ERR_CLUSTER_UNKNOWN_STATUS` if the server that wrote `postmaster.pid` may live in another container: it was not
 * started by howdah, so that there is no lock by which the kernel would tell.
 *
 * It is over if it started before this boot; if its shared memory is in this ipc namespace, where the next server finds out
 * by itself whether it is in use; if the file came along with a copy; and if no process works in the directory, as far as
 * all can be seen.
 */
export async function refuseForeign(directory: DataDirectory, file: PostmasterPid): Promise<void> {
  if (process.platform !== 'linux') return
  const booted = bootTime()
  if (booted !== null && (file.startedAt < booted || file.writtenAt < booted)) return
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
 * Throws `ERR_CLUSTER_UNKNOWN_STATUS` if a server runs in a directory whose `postmaster.pid` names nobody, as far as the
 * kernel tells: by where processes work, and by whose shared memory is attached.
 */
export async function refuseUnnamed(
  directory: DataDirectory,
  { why }: NamelessPidFile,
): Promise<void> {
  const [server] = await serversIn(directory)
  const attached = segments().find(
    (one) => one.attached > 0 && isKeyOf(directory, one.key) === true,
  )
  if (server === undefined && attached === undefined) return
  const who = server === undefined ? '' : `, and a server runs there (pid ${server})`
  throw unknownStatus(
    directory.path,
    `${directory.pidFile} ${why} and so names no process${who}; stop that server${server === undefined ? '' : `: kill -INT ${server}`}, or wait a minute, for it ends by itself without its file`,
  )
}

/** The pids of postmasters that work in the directory, of this pid namespace and those below it. */
export async function serversIn(directory: DataDirectory): Promise<number[]> {
  const all = await processesIn(directory.path)
  return all.filter((one) => !isChild(one)).map(({ identity }) => identity.pid)
}

/** Whether the file came along with a copy of another data directory. */
function isOfCopy(directory: DataDirectory, { dataDir, sharedMemory }: PostmasterPid): boolean {
  const isOwn = sharedMemory === null ? null : isKeyOf(directory, sharedMemory.key)
  if (isOwn !== null) return !isOwn
  try {
    const [named, here] = [dataDir, directory.path].map((path) => statSync(path, { bigint: true }))
    return named?.dev !== here?.dev || named?.ino !== here?.ino
  } catch {
    return false // There is no such path here; it may mean the directory in a container.
  }
}

/** When the kernel was booted by the wall clock, proc_stat(5). */
function bootTime(): Date | null {
  try {
    const seconds = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]
    return seconds === undefined ? null : new Date(Number(seconds) * 1000)
  } catch {
    return null
  }
}
