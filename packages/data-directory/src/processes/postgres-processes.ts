import { readFileSync } from 'node:fs'
import { lstat, readdir, readFile, readlink, stat } from 'node:fs/promises'
import { identifyProcess, type ProcessIdentity } from '@howdah/lock'
import { isPostgres } from './is-postgres.ts'
import { seenServersIn } from './seen-servers.ts'
import { workingIn } from './working-directory.ts'

/** A process that runs PostgreSQL's server program, a postmaster or one of its children. */
export interface PostgresProcess {
  readonly identity: ProcessIdentity
  readonly uid: number
  readonly parent: number
  /** The path of the data directory that it works in. */
  readonly dataDir: string
  /**
   * Whether the path leads there. `removed`: the directory was removed under it; there may be another at its path by now.
   * `elsewhere`: it is the path in a container, which means something else here.
   */
  readonly place: 'here' | 'removed' | 'elsewhere'
  /** Its arguments; of a postmaster's children, what they say of themselves, such as `postgres: checkpointer`. */
  readonly title: string
  /** Whether it is one of a container: of a pid namespace below this one. */
  readonly isNested: boolean
}

/**
 * Whether a process is not a postmaster: it calls itself a child of one, as all children do once they are at work, or it is
 * about to be gone.
 */
export function isChild({
  title,
  isEnding = false,
}: Pick<WorkingProcess, 'title' | 'isEnding'>): boolean {
  return isEnding || title.startsWith('postgres: ')
}

/**
 * The processes of PostgreSQL servers that this user may look into, known by their executable; for root, all of this pid
 * namespace and those below. `null` if there is no `/proc`.
 */
export async function postgresProcesses(): Promise<PostgresProcess[] | null> {
  const names = await readdir('/proc').catch(() => null)
  if (names?.includes('self') !== true) return null
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(pids.map(lookAt))
  return found.filter((one) => one !== null)
}

/**
 * The postgres processes that work in a directory, by whatever path, of this pid namespace and those below it. Root in a
 * container looks as their user; of others' processes nothing can be told.
 *
 * If there is no `/proc`, throws `ERR_CLUSTER_UNKNOWN_STATUS` rather than miss one.
 */
export async function processesIn(directory: string): Promise<WorkingProcess[]> {
  if (process.platform !== 'linux') return seenServersIn(directory)
  const names = await readdir('/proc').catch(() => [])
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number)
  const { here } = await workingIn(directory, pids.filter(isPostgres))
  return here.map(lookFromOutside).filter((one) => one !== null)
}

/** What everybody may know of a process. */
export interface WorkingProcess extends Pick<
  PostgresProcess,
  'identity' | 'parent' | 'title' | 'isNested'
> {
  /**
   * It was killed or exits: the kernel has taken its memory, so that it does nothing any more, and closes its files. Its title
   * has gone with its memory.
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

/** From proc_pid_status(5). A process without memory has no size: it is ending, for threads of the kernel work nowhere. */
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

/** `null` if it is not one, is somebody else's, or ends meanwhile. */
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
    const place = (await leadsTo(cwd, pid))
      ? 'here'
      : cwd.endsWith(deleted)
        ? 'removed'
        : 'elsewhere'
    return {
      identity,
      // The effective one, proc_pid_status(5).
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

/** What the kernel adds to the name of what was removed, proc_pid_cwd(5); a directory may also be called so. */
const deleted = ' (deleted)'

async function leadsTo(path: string, pid: number): Promise<boolean> {
  const there = await stat(`/proc/${pid}/cwd`)
  return await lstat(path).then(
    ({ dev, ino }) => dev === there.dev && ino === there.ino,
    () => false,
  )
}
