import { constants } from 'node:os'
import { binding } from './binding/load-binding.ts'
import { errnoName } from './errno-name.ts'
import { LockError, fileError } from './errors.ts'
import type { LockMode } from './lock-mode.ts'

const { EAGAIN, EACCES } = constants.errno
const LOCK_UN = 8

/** The operation of flock(2) that locks in a mode. LOCK_SH and LOCK_EX have the same numbers on every system. */
export const operationOf = (mode: LockMode): number => (mode === 'shared' ? 1 : 2)

/**
 * Tries flock(2) on a descriptor, without waiting.
 *
 * Returns `false` if somebody holds a conflicting lock. A descriptor that holds the other mode is converted; if the
 * conversion fails, **the old lock is lost, too**. Throws if locking does not work.
 */
export function tryFlock(fd: number, mode: LockMode, path: string): boolean {
  const result = binding(path).flock(fd, operationOf(mode))
  if (result === 0) return true
  // Some network file systems report a held lock by EACCES.
  if (result === -EAGAIN || result === -EACCES) return false
  const code = errnoName(-result)
  const cause = Object.assign(new Error(`flock: ${code}`), {
    code,
    errno: result,
    syscall: 'flock',
  })
  if (code === 'ENOSYS' || code === 'EOPNOTSUPP' || code === 'ENOTSUP' || code === 'ENOLCK') {
    throw new LockError(
      'ERR_LOCK_UNSUPPORTED',
      path,
      `cannot lock ${path}: its file system does not know flock(2) (${code}); choose a path on a local disk`,
      { cause },
    )
  }
  throw fileError(cause, path, 'lock')
}

/** Releases the lock of a descriptor and of all its copies in other processes. */
export function unlock(fd: number): void {
  binding('').flock(fd, LOCK_UN)
}

/**
 * @internal Whether nobody has a lock on an open file, whatever its path leads to now. It tries to lock the descriptor, which
 * then has no lock of its own.
 */
export function isDescriptorFree(fd: number): boolean {
  if (!tryFlock(fd, 'exclusive', '')) return false
  unlock(fd)
  return true
}
