import { statSync } from 'node:fs'
import {
  identifyProcess,
  type ProcessIdentity,
  seeProcess,
  seeProcesses,
  type SeenProcess,
} from '@howdah/lock'
import { unknownStatus } from '../errors.ts'

/** A server process that works in a directory, on a system without `/proc`. Such systems have no pid namespaces. */
export interface SeenServer {
  readonly identity: ProcessIdentity
  readonly parent: number
  /** Its arguments, or the title that it has set. */
  readonly title: string
  readonly isNested: false
}

/** One of a data directory that is known by its path. */
export interface PlacedServer extends SeenServer {
  readonly uid: number
  readonly dataDir: string
  readonly place: 'here'
}

/**
 * The PostgreSQL processes of some data directories where there is no `/proc`: the kernel tells which directory a process works in by
 * device and inode, so its path is known only from elsewhere. `null` if it does not tell, as to ps(1).
 *
 * So it is not seen whether the directory of any other server was moved or removed. If it was removed, the server ends by itself:
 * it looks for its `postmaster.pid` once a minute.
 */
export function seenServersOf(dataDirs: readonly string[]): PlacedServer[] | null {
  const seen = seeProcesses()
  if (seen === 'unknown') return null
  const known = new Map(dataDirs.map((dataDir) => [identityOf(dataDir)?.directory, dataDir]))
  const found: PlacedServer[] = []
  for (const { pid, uid, parent, command, directory } of seen.filter(isServer)) {
    // Of other users' processes the kernel does not tell it.
    if (directory === null && uid === process.geteuid?.()) return null
    const dataDir = directory === null ? undefined : known.get(directory)
    const identity = dataDir === undefined ? null : identifyProcess(pid)
    if (dataDir === undefined || identity === null) continue
    const title = command ?? ''
    found.push({ identity, uid, parent, dataDir, place: 'here', title, isNested: false })
  }
  return found
}

function isServer(one: SeenProcess): boolean {
  return !one.isZombie && runsPostgres(one)
}

/**
 * Whether a process is a PostgreSQL server that works in a directory, on a system without `/proc`; `null` if this is unknown.
 *
 * PostgreSQL runs only as the owner of its data directory.
 */
export function isSeenServerOf(directory: string, pid: number): boolean | null {
  const seen = seeProcess(pid)
  if (seen === 'unknown') return null
  if (seen === null || !runsPostgres(seen)) return false
  return worksIn(identityOf(directory), seen)
}

/**
 * The PostgreSQL processes that work in a directory, on a system without `/proc`.
 *
 * Throws `ERR_CLUSTER_UNKNOWN_STATUS` if this is unknown, because the answer "none" has to be certain.
 */
export function seenServersIn(directory: string): SeenServer[] {
  const seen = seeProcesses()
  if (seen === 'unknown') {
    const why = 'neither the kernel nor /bin/ps tells which processes there are'
    throw unknownStatus(directory, `${why}; run this outside of the sandbox`)
  }
  const wanted = identityOf(directory)
  const found: SeenServer[] = []
  for (const one of seen) {
    if (!isServer(one)) continue
    const isHere = worksIn(wanted, one)
    if (isHere === null) {
      const why = `it cannot be seen in which directory process ${one.pid}, a PostgreSQL server, works`
      throw unknownStatus(directory, `${why}; stop that server, or run this outside of the sandbox`)
    }
    const identity = isHere ? identifyProcess(one.pid) : null
    if (identity === null) continue
    found.push({ identity, parent: one.parent, title: one.command ?? '', isNested: false })
  }
  return found
}

/** Whether a process is a postmaster or one of its children, which have titles like `postgres: …`. */
function runsPostgres({ program, command }: SeenProcess): boolean {
  if (program !== null) return /(^|\/)(postgres|postmaster)$/.test(program)
  return /^(\S*\/)?(postgres|postmaster)(:? |$)/.test(command ?? '')
}

/** The identity and the owner of a directory. */
interface Identity {
  readonly directory: string
  readonly uid: number
}

function identityOf(path: string): Identity | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (stats === undefined) return null
  return { directory: `${stats.dev}:${stats.ino}`, uid: Number(stats.uid) }
}

function worksIn(wanted: Identity | null, { directory, uid }: SeenProcess): boolean | null {
  if (wanted === null || uid !== wanted.uid) return false
  return directory === null ? null : directory === wanted.directory
}
