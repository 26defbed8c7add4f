import { readFileSync } from 'node:fs'
import { lstat, readdir, readFile, readlink, stat } from 'node:fs/promises'
import { identifyProcess, type ProcessIdentity } from '@howdah/lock'
import { isPostgres } from './is-postgres.ts'
import { seenServersIn, seenServersOf } from './seen-servers.ts'
import { workingIn } from './working-directory.ts'

/** A process that runs PostgreSQL's server program, a postmaster or one of its children. */
export interface PostgresProcess {
  readonly identity: ProcessIdentity
  readonly uid: number
  readonly parent: number
  /** The path of the data directory that it works in. */
  readonly dataDir: string
  /**
   * Whether the path leads to that directory. `removed`: the directory was removed while the process works in it, and there
   * may be another one at the path now. `elsewhere`: the path is valid inside a container, and means something else here.
   */
  readonly place: 'here' | 'removed' | 'moved'
  /** Its arguments; for a child of a postmaster the title that it has set, such as `postgres: checkpointer`. */
  readonly title: string
  /** Whether the process is in a pid namespace below this one, that is, in a container. */
  readonly isNested: boolean
}

/**
 * Whether a process is not a postmaster. Then its title is that of a child, as all children set it when they begin to work,
 * or it is ending.
 */
export function isChild({
  title,
  isEnding = false,
}: Pick<WorkingProcess, 'title' | 'isEnding'>): boolean {
  return isEnding || title.startsWith('postgres: ')
}

/**
 * The processes of PostgreSQL servers that this user may look into, recognized by their executable. Root sees all of this pid
 * namespace and those below it. Without `/proc`, only
 * those of `dataDirs`; `null` if the system does not tell where they work.
 */
export async function postgresProcesses(
  dataDirs: readonly string[] = [],
): Promise<PostgresProcess[] | null> {
  if (process.platform !== 'linux') return seenServersOf(dataDirs)
  const names = await readdir('/proc').catch(() => null)
  if (names?.includes('self') !== true) return null
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(pids.map(lookAt))
  return found.filter((one) => one !== null)
}

/**
 * The postgres processes, in this pid namespace and those below it, that work in a directory, by any path. Root in a
 * container looks as the user of each process. An ordinary user cannot see the processes of other users.
 *
 * If there is no `/proc` and processes cannot be seen otherwise, throws `ERR_CLUSTER_UNKNOWN_STATUS`, so that none is missed.
 */
export async function processesIn(directory: string): Promise<WorkingProcess[]> {
  if (process.platform !== 'linux') return seenServersIn(directory)
  const names = await readdir('/proc').catch(() => [])
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number)
  const { here } = await workingIn(directory, pids.filter(isPostgres))
  return here.map(lookFromOutside).filter((one) => one !== null)
}

/** The facts about a process that every user may see. */
export interface WorkingProcess extends Pick<
  PostgresProcess,
  'identity' | 'parent' | 'title' | 'isNested'
> {
  /**
   * The process was killed or exits: the kernel has taken its memory, and with it its title. It does nothing any more, and
   * the kernel is closing its files.
   */
  readonly isEnding?: boolean | undefined
}

function lookFromOutside(pid: number): WorkingProcess | null {
  try {
    const identity = identifyProcess(pid)
    if (identity === null) return null
    const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return {
      identity,
      ...ofStatus(readFileSync(`/proc/${pid}/status`, 'utf8')),
      title: titleOf(title),
    }
  } catch {
    return null // It has ended.
  }
}

/**
 * Parses proc_pid_status(5). A process without a size has no memory, so it is ending; threads of the kernel work in no
 * directory.
 */
function ofStatus(status: string): Pick<WorkingProcess, 'parent' | 'isNested' | 'isEnding'> {
  const pids = /^NSpid:((\t\d+)+)$/m.exec(status)?.[1] ?? ''
  return {
    parent: Number(/^PPid:\t(\d+)/m.exec(status)?.[1]),
    isNested: pids.trim().split('\t').length > 1,
    isEnding: !/^VmSize:/m.test(status),
  }
}

function titleOf(commandLine: string): string {
  return commandLine.replaceAll('\0', ' ').trim()
}

/** Looks at a process. `null` if it is not a PostgreSQL process, belongs to another user, or ends meanwhile. */
async function lookAt(pid: number): Promise<PostgresProcess | null> {
  try {
    if (!isPostgres(pid)) return null
    const identity = identifyProcess(pid)
    if (identity === null) return null
    const [cwd, title, status] = await Promise.all([
      readlink(`/proc/${pid}/cwd`),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ])
    const { isEnding, ...told } = ofStatus(status)
    if (isEnding === true) return null
    const place = (await leadsTo(cwd, pid)) ? 'here' : cwd.endsWith(deleted) ? 'removed' : 'moved'
    return {
      identity,
      // The effective user id, proc_pid_status(5).
      uid: Number(/^Uid:\t\d+\t(\d+)/m.exec(status)?.[1]),
      ...told,
      dataDir: place === 'removed' ? cwd.slice(0, -deleted.length) : cwd,
      place,
      title: titleOf(title),
    }
  } catch {
    return null
  }
}

/** The kernel adds this to the path of a removed directory, proc_pid_cwd(5). A directory may also have such a name. */
const deleted = ' (deleted)'

async function leadsTo(path: string, pid: number): Promise<boolean> {
  const there = await stat(`/proc/${pid}/cwd`)
  return await lstat(path).then(
    ({ dev, ino }) => dev === there.dev && ino === there.ino,
    () => false,
  )
}
