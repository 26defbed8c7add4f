import * as nodeFs from 'node:fs'
import { resolve } from 'node:path'
import type { LockfileError } from './errors.ts'

/** The functions of a file system that are called. The functions without `Sync` take a callback. */
export interface LockfileFs {
  /** Finds the path without symbolic links. */
  realpath(path: string, done: (error: Error | null, path: string) => void): void
  /** Looks at a lock directory of another program. */
  stat(path: string, done: (error: Error | null, stats: LockfileStats) => void): void
  /** Removes such a directory if it is stale. */
  rmdir(path: string, done: (error: Error | null) => void): void
  /** `realpath` for the calls that end in `Sync`. */
  realpathSync?(path: string): string
  /** `stat` for the calls that end in `Sync`. */
  statSync?(path: string): LockfileStats
  /** `rmdir` for the calls that end in `Sync`. */
  rmdirSync?(path: string): void
}

/** The fields of the result of `stat` that are read. */
export interface LockfileStats {
  readonly mtime: Date
}

/** Options of {@link unlock}. */
export interface UnlockOptions {
  /** Follow symbolic links, so that all names of a file share one lock; `true` by default, and then the file must exist. */
  realpath?: boolean | undefined
  /** The path of the lock file; `<file>.lock` by default. */
  lockfilePath?: string | undefined
  /**
   * The file system in which the real path is found and lock directories of other programs are looked at and removed;
   * `node:fs` by default. The lock itself is always made on the real file system, because that is what the kernel locks.
   */
  fs?: LockfileFs | undefined
}

/** Options of {@link check}. */
export interface CheckOptions extends UnlockOptions {
  /**
   * Milliseconds after which a lock **of another program**, a directory that proper-lockfile keeps fresh, counts as left
   * behind; 10,000 by default, at least 2,000. A lock of this package is never stale: it ends with its process.
   */
  stale?: number | undefined
}

/** How to try again, as in the package `retry`. */
export interface RetryOptions {
  /** How many times to try again; 10 by default. */
  retries?: number | undefined
  /** The factor by which each pause is longer than the one before; 2 by default. */
  factor?: number | undefined
  /** The first pause, in ms; 1,000 by default. */
  minTimeout?: number | undefined
  /** The longest pause, in ms; no limit by default. */
  maxTimeout?: number | undefined
  /** Make each pause up to twice as long, at random; `false` by default. */
  randomize?: boolean | undefined
  /** Try for ever; `false` by default. */
  forever?: boolean | undefined
  /** The time in ms after which no further try is made; no limit by default. */
  maxRetryTime?: number | undefined
  /** Do not keep the process alive while waiting; `false` by default. */
  unref?: boolean | undefined
}

/** Options of {@link lock}. */
export interface LockOptions extends CheckOptions {
  /** How often, in ms, to look whether somebody has removed the lock file; `stale / 2` by default and at most, at least 1,000. */
  update?: number | undefined
  /**
   * How many times to try again, or how; 0 by default. In a pause the lock is taken as soon as it is free. Not for
   * {@link lockSync}.
   */
  retries?: number | RetryOptions | undefined
  /**
   * Called once if somebody has removed or replaced the lock file, so that others may lock, too. By default it throws the
   * error, which nobody can catch. Sleep, a stopped process and slow disks never cause it.
   */
  onCompromised?: ((error: LockfileError) => unknown) | undefined
}

/** Options with their defaults. */
export interface Settings {
  readonly realpath: boolean
  readonly fs: LockfileFs
  readonly stale: number
  readonly update: number
  /** The path of the lock file on a file. */
  lockfileOf(file: string): string
}

/** Fills in the defaults, and keeps the limits. */
export function settingsOf({
  realpath = true,
  lockfilePath,
  fs = nodeFs,
  stale = 10_000,
  update,
}: LockOptions = {}): Settings {
  // A value that is not a number, such as `false`, counts as 0, as in the original.
  const patience = Math.max(stale || 0, 2_000)
  const interval = Math.min(update ?? patience / 2, patience / 2) || 0
  return {
    realpath,
    fs,
    stale: patience,
    update: Math.max(interval, 1_000),
    lockfileOf: (file) => (lockfilePath ? resolve(lockfilePath) : `${file}.lock`),
  }
}
