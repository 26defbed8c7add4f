/**
 * The API of proper-lockfile 4.1.2, on flock(2).
 *
 * The lock file, `<file>.lock`, is a file that its holder has locked, so there is nothing to keep fresh: a laptop that slept, a
 * stopped process or a slow disk never loses a lock, and the lock of a killed process is free at once. proper-lockfile itself
 * sees the file as locked while it is there, and this package sees its directories as locked while they are fresh.
 *
 * It differs from proper-lockfile:
 *
 * - `<file>.lock` is a file with a time in the year 2100. The time has no meaning, and the file cannot be removed with
 *   `rmdir`.
 * - `update` is how often to look whether the lock file is still there; nothing is written.
 * - Of `fs`, `realpath`, `stat` and `rmdir` are called, and `mkdir` and `utimes` are not.
 * - A pause between `retries` ends as soon as the lock is free.
 * - A file of another program at the path of the lock file is never removed or written.
 * - A process that a signal ends, such as SIGTERM, leaves its lock file. It is free: the next holder takes it over and removes it.
 *   proper-lockfile itself cannot do that, and needs the file to be removed by hand.
 * - It needs flock(2) and hard links, so it does not work on Windows or on file systems without hard links.
 * - A process that is killed while it makes a lock file may leave `.<name>.….draft` beside it, which the next one uses and removes.
 *
 * @module
 */
export { LockfileError } from './errors.ts'
export { check, checkSync, lock, lockSync, unlock, unlockSync } from './lockfile.ts'
export type {
  CheckOptions,
  LockOptions,
  LockfileFs,
  LockfileStats,
  RetryOptions,
  UnlockOptions,
} from './options.ts'
// The name 'module.exports' makes `lockfile` the result of require(), so that the result can be called.
export { lockfile as default, lockfile as 'module.exports' } from './lockfile.ts'
