import { readFileSync } from 'node:fs'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { errno } from '@howdah/durable'
import { unknownMemory } from '../errors.ts'
import { askAsOwner } from '../processes/ask-as-owner.ts'
import { isPostgres } from '../processes/is-postgres.ts'

/** Files to look for in processes. */
export interface Wanted {
  /** The directory of the files. */
  readonly directory: string
  /** How their paths begin. */
  readonly prefix: string
  /** The users who own them. A server of another user cannot have opened them. */
  readonly users: ReadonlySet<number>
}

/** Paths of files, each with a process that has the file. A file that was removed has ` (deleted)` after its path. */
type Files = Map<string, number>

/**
 * The wanted files that processes map, proc_pid_maps(5). Throws `ERR_CLUSTER_UNKNOWN_STATUS` if a server that may map them
 * cannot be looked into.
 */
export async function mappedFiles(wanted: Wanted): Promise<Files> {
  const list = async (pid: number) => await readFile(`/proc/${pid}/maps`, 'latin1')
  return await filesOf(wanted, { list, script: 'cat "/proc/$1/maps"' })
}

/** The wanted files that processes have open, proc_pid_fd(5). Throws as {@link mappedFiles} does. */
export async function openFiles(wanted: Wanted): Promise<Files> {
  return await filesOf(wanted, {
    list: listOpen,
    script: 'for link in "/proc/$1/fd/"*; do readlink "$link" || :; done',
  })
}

async function listOpen(pid: number): Promise<string> {
  const directory = `/proc/${pid}/fd`
  const names = await readdir(directory)
  const paths = await Promise.all(
    names.map(async (name) => await readlink(`${directory}/${name}`).catch(closedMeanwhile)),
  )
  return paths.join('\n')
}

function closedMeanwhile(error: unknown): string {
  if (errno(error) === 'ENOENT') return ''
  throw error
}

/** How to list the files of a process, one a line: by ourselves, or by a script that its owner runs. */
interface Listing {
  readonly list: (pid: number) => Promise<string>
  readonly script: string
}

async function filesOf(wanted: Wanted, listing: Listing): Promise<Files> {
  const files: Files = new Map()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const pid = Number(name)
    for (const line of (await listed(pid, wanted, listing)).split('\n')) {
      const from = line.indexOf(wanted.prefix)
      if (from !== -1) files.set(line.slice(from), pid)
    }
  }
  return files
}

async function listed(
  pid: number,
  { directory, users }: Wanted,
  { list, script }: Listing,
): Promise<string> {
  try {
    return await list(pid)
  } catch (error) {
    if (!isPostgres(pid) || !mayHave(pid, users)) return ''
    const text = await askAsOwner(pid, '/', script, [String(pid)])
    if (text !== null) return text
    if (!mayHave(pid, users)) return ''
    throw unknownMemory(directory, pid, `cannot be looked into (${errno(error)})`, error)
  }
}

/** Whether a process lives and runs as one of these users, proc_pid_status(5). A process without a size is ending. */
function mayHave(pid: number, users: ReadonlySet<number>): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const ids = /^Uid:\t([\d\t]+)$/m.exec(status)?.[1] ?? ''
    return /^VmSize:/m.test(status) && ids.split('\t').some((id) => users.has(Number(id)))
  } catch {
    return false // It has ended.
  }
}
