/**
 * The Web Locks API (`navigator.locks`) between processes and worker threads.
 *
 * The semantics are those of the standard (https://w3c.github.io/web-locks/). A directory takes the place of the origin, and a
 * thread that of the client.
 *
 * @module
 */
export { LockManager } from './lock-manager.ts'
export type {
  LockGrantedCallback,
  LockInfo,
  LockManagerSnapshot,
  LockOptions,
} from './lock-options.ts'
export type { WebLock as Lock } from './web-lock.ts'
