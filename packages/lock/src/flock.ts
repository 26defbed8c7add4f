import { createRequire } from 'node:module'
import { errno } from './errno.ts'
import { LockBindingError, LockUnsupportedError, fileError } from './errors.ts'
import type { LockMode } from './lock-mode.ts'

/** The part of fs-ext that is used. Its asynchronous `flock` fills libuv's pool and is never called. */
interface Binding {
  readonly flockSync: (fd: number, flags: number) => void
  readonly constants: {
    readonly LOCK_SH: number
    readonly LOCK_EX: number
    readonly LOCK_NB: number
    readonly LOCK_UN: number
  }
}

let loaded: Binding | undefined

/**
 * Tries flock(2) on a descriptor, without waiting.
 *
 * Returns `false` where somebody holds a conflicting lock. A descriptor that holds the other mode is converted, and
 * then **a failure has given up what it held**. Throws where locking does not work.
 */
export function tryFlock(fd: number, mode: LockMode, path: string): boolean {
  const { flockSync, constants } = loaded ?? load(path)
  try {
    flockSync(fd, (mode === 'shared' ? constants.LOCK_SH : constants.LOCK_EX) | constants.LOCK_NB)
    return true
  } catch (error) {
    // EACCES: so some network file systems say that it is held.
    const code = errno(error)
    if (code === 'EAGAIN' || code === 'EWOULDBLOCK' || code === 'EACCES') return false
    if (code === 'ENOSYS' || code === 'EOPNOTSUPP' || code === 'ENOTSUP' || code === 'ENOLCK') {
      throw new LockUnsupportedError(
        path,
        `cannot lock ${path}: its file system does not know flock(2) (${code}); choose a path on a local disk`,
        error,
      )
    }
    throw fileError(error, path, 'lock')
  }
}

/** Gives up what a descriptor, and every copy of it in other processes, holds. */
export function unlock(fd: number): void {
  const { flockSync, constants } = loaded ?? load('')
  flockSync(fd, constants.LOCK_UN)
}

/** Throws what every acquire fails with on Windows; to be called before anything is made. */
export function requireFlock(path: string): void {
  if (process.platform !== 'win32') return
  throw new LockUnsupportedError(
    path,
    `cannot lock ${path}: Windows has no flock(2); run this under Linux, WSL or macOS`,
  )
}

/** Loads fs-ext when it is first needed, so that importing this package never fails. */
function load(path: string): Binding {
  requireFlock(path)
  try {
    const binding: Binding = createRequire(import.meta.url)('fs-ext')
    loaded = binding
    return binding
  } catch (error) {
    throw new LockBindingError(path, `cannot lock ${path}: ${cure(error)}`, error)
  }
}

function cure(error: unknown): string {
  if (errno(error) === 'ERR_DLOPEN_FAILED' || String(error).includes('NODE_MODULE_VERSION')) {
    return `its native part, fs-ext, was built for another Node than ${process.version}; run: npm rebuild fs-ext`
  }
  const pnpm =
    `${process.env['npm_config_user_agent']} ${import.meta.url}`.match(/pnpm\/|\.pnpm\//) !== null
  return pnpm
    ? 'its native part, fs-ext, was not built; run: pnpm approve-builds fs-ext (or install with: pnpm add --allow-build=fs-ext @howdah/lock)'
    : 'its native part, fs-ext, was not built; run: npm install-scripts approve fs-ext (npm 12 and newer), then: npm rebuild fs-ext'
}
