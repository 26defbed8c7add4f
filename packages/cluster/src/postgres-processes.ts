import { lstat, readdir, readFile, readlink, stat } from 'node:fs/promises'
import { identifyProcess, type ProcessIdentity } from '@howdah/lock'

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
}

/** Whether a process calls itself a postmaster's child, as all of them do once they are at work. */
export function isChild({ title }: PostgresProcess): boolean {
  return title.startsWith('postgres: ')
}

/**
 * The processes of PostgreSQL servers that this user may look into, known by their executable; for root, all of this pid
 * namespace and those below. `null` where there is no `/proc`.
 */
export async function postgresProcesses(): Promise<PostgresProcess[] | null> {
  const names = await readdir('/proc').catch(() => null)
  if (names?.includes('self') !== true) return null
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(pids.map(lookAt))
  return found.filter((one) => one !== null)
}

/** The postgres processes that work in a directory, by whatever path. */
export async function processesIn(directory: string): Promise<PostgresProcess[]> {
  const here = await stat(directory).catch(() => null)
  if (here === null) return []
  const all = (await postgresProcesses()) ?? []
  const near = await Promise.all(
    all.map(async (one) => {
      const there = await stat(`/proc/${one.identity.pid}/cwd`).catch(() => null)
      return there?.dev === here.dev && there.ino === here.ino
    }),
  )
  return all.filter((_, index) => near[index])
}

/** `null` where it is none, is somebody else's, or has ended meanwhile. */
async function lookAt(pid: number): Promise<PostgresProcess | null> {
  try {
    if (!/\/(postgres|postmaster)( \(deleted\))?$/.test(await readlink(`/proc/${pid}/exe`))) {
      return null
    }
    const identity = identifyProcess(pid)
    if (identity === null) return null
    const [cwd, title, status] = await Promise.all([
      readlink(`/proc/${pid}/cwd`),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
    ])
    const place = (await leadsTo(cwd, pid))
      ? 'here'
      : cwd.endsWith(deleted)
        ? 'removed'
        : 'elsewhere'
    return {
      identity,
      // The effective one, proc_pid_status(5).
      uid: Number(/^Uid:\t\d+\t(\d+)/m.exec(status)?.[1]),
      parent: Number(/^PPid:\t(\d+)/m.exec(status)?.[1]),
      dataDir: place === 'removed' ? cwd.slice(0, -deleted.length) : cwd,
      place,
      title: title.replaceAll('\0', ' ').trim(),
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
