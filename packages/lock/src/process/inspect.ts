import { readFileSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { setImmediate as breathe } from 'node:timers/promises'
import { gatePath } from '../waiting/contend.ts'
import { LockError } from '../errors.ts'
import { commandOf, kernelLocks, type Holder } from './holder.ts'
import type { LockMode } from '../lock-mode.ts'
import { LockFile } from '../lock-file.ts'
import { identifyProcess } from './process-identity.ts'
import { absolute, request } from '../waiting/request.ts'

/** Who has a lock and who wants it. */
export interface Inspection {
  readonly holders: Holder[]
  /**
   * The processes that are blocked in flock(2), and the first in line of the processes that wait by polling with this
   * package.
   */
  readonly waiters: Holder[]
  /**
   * The mode in which an unseen process holds the lock: a process outside this pid namespace, or another user's process that
   * has inherited the lock. `null` if the lock is free, or a holder can be seen.
   */
  readonly unseen: LockMode | null
}

/** How long `/proc` is searched before the event loop may go on, in ms. */
const slice = 5

/**
 * Who holds a lock and who waits for it, **without taking it**: no file is opened, made or locked, and no other process's try
 * fails because of it. Empty if there is no such file. There is one exception: inside a pid namespace, such as a container's,
 * holders outside are hidden. So a lock that seems free there is tried, and in that instant another process's try may fail.
 *
 * The sources are `/proc/locks` and, for locks that children inherited, the descriptors of the processes that this user may
 * look into. The answer may be out of date when you read it. It names all processes in the kernel's queue. Behind the first
 * one, the mode that a process waits for is seen from the mode in which it opened the gate.
 *
 * Rejects with `ERR_LOCK_UNSUPPORTED` on systems other than Linux.
 */
export async function inspect(path: string): Promise<Inspection> {
  const lock = absolute(path)
  if (process.platform !== 'linux') {
    throw new LockError(
      'ERR_LOCK_UNSUPPORTED',
      lock,
      `cannot inspect ${lock}: only Linux tells who holds a lock; use lsof(8)`,
    )
  }
  const holders = new Map<number, LockMode>()
  let taken: LockMode | null = null
  const waiters = new Map<number, LockMode>()
  const [locks, gates] = [kernelLocks(lock), kernelLocks(gatePath(lock))]
  if (locks.length + gates.length === 0 && showsAllLocks(lock))
    return { holders: [], waiters: [], unseen: null }
  for (const { pid, mode, blocked } of locks) {
    if (!blocked) taken = mode
    ;(blocked ? waiters : holders).set(pid, mode)
  }
  const queued = new Set<number>()
  for (const { pid, mode, blocked } of gates) {
    if (mode === 'exclusive' && !waiters.has(pid)) waiters.set(pid, mode)
    if (blocked) queued.add(pid)
  }

  const real = realPath(lock)
  if (real !== null) {
    const takers = new Set(holders.keys())
    const found = await search(real, gatePath(real), queued)
    for (const [pid, mode] of found.holders) holders.set(pid, mode)
    for (const [pid, mode] of found.waiters) waiters.set(pid, mode)
    // Remove the processes that took the lock but have handed it on to a child.
    for (const pid of takers) {
      const handedOn = found.holders.size > 0 && found.seen.has(pid) && !found.holders.has(pid)
      if (handedOn || identifyProcess(pid) === null) holders.delete(pid)
    }
  }
  let unseen: LockMode | null = null
  if (holders.size === 0) unseen = taken ?? (isInNamespace() ? tryInPassing(path) : null)
  return { holders: list(holders), waiters: list(waiters), unseen }
}

/**
 * Whether `/proc/locks` shows every lock on a file. Inside a pid namespace some are hidden, and some file systems without a block
 * device (btrfs, overlayfs) have other numbers there than stat(2) tells.
 */
function showsAllLocks(path: string): boolean {
  if (isInNamespace()) return false
  const { dev } = statSync(path, { throwIfNoEntry: false }) ?? { dev: 0 }
  // The major number: see makedev(3).
  return ((dev >> 8) & 0xfff) !== 0
}

/**
 * Whether this process is in a pid namespace, and may not see all processes. The machine's first pid namespace has a fixed
 * number (proc_ns.h).
 */
function isInNamespace(): boolean {
  try {
    return readlinkSync('/proc/self/ns/pid') !== 'pid:[4026531836]'
  } catch {
    return true
  }
}

/** Finds out by trying in which mode the lock is held; `null` if it is free or cannot be tried. */
function tryInPassing(path: string): LockMode | null {
  let file: LockFile | null = null
  try {
    file = LockFile.open(request(path, { create: false }))
    if (file.tryLock('exclusive')) return null
    return file.tryLock('shared') ? 'shared' : 'exclusive'
  } catch {
    return null
  } finally {
    file?.release()
  }
}

interface Search {
  /** The processes that are blocked in the kernel at the gate. */
  readonly queued: ReadonlySet<number>
  /** The processes with descriptors that could be read. */
  readonly seen: Set<number>
  readonly holders: Map<number, LockMode>
  readonly waiters: Map<number, LockMode>
}

/** Looks for the two files among the descriptors of all processes. */
async function search(lock: string, gate: string, queued: Set<number>): Promise<Search> {
  const result: Search = { queued, seen: new Set(), holders: new Map(), waiters: new Map() }
  let pause = performance.now() + slice
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    searchProcess(pid, lock, gate, result)
    if (performance.now() > pause) {
      await breathe()
      pause = performance.now() + slice
    }
  }
  return result
}

function searchProcess(
  pid: number,
  lock: string,
  gate: string,
  { queued, seen, holders, waiters }: Search,
): void {
  let descriptors: string[]
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`)
    seen.add(pid)
  } catch {
    // The process has ended, or belongs to another user.
    return
  }
  for (const fd of descriptors) {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`)
      if (target !== lock && target !== gate) continue
      // proc_pid_fdinfo(5): the flags in octal, and the locks of this open file description.
      const info = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')
      const taken = /^lock:\s+\d+: FLOCK +\S+ +(\w+)/m.exec(info)?.[1]
      const waits = target === gate && (taken === 'WRITE' || queued.has(pid))
      if (waits) waiters.set(pid, readsOnly(info) ? 'shared' : 'exclusive')
      if (taken === undefined) continue
      if (target === lock) holders.set(pid, taken === 'WRITE' ? 'exclusive' : 'shared')
    } catch {
      // The descriptor was closed meanwhile.
    }
  }
}

function readsOnly(info: string): boolean {
  const flags = /^flags:\s+([0-7]+)$/m.exec(info)?.[1] ?? '2'
  return (Number.parseInt(flags, 8) & 3) === 0
}

/** The file's path as `/proc` writes it; `null` if there is no file. */
function realPath(path: string): string | null {
  try {
    return realpathSync.native(path)
  } catch {
    return null
  }
}

function list(found: Map<number, LockMode>): Holder[] {
  return [...found].map(([pid, mode]) => ({ pid, mode, command: commandOf(pid) }))
}
