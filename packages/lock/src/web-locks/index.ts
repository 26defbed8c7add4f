/**
 * The Web Locks API (`navigator.locks`) between processes and worker threads.
 *
 * It behaves as the standard says (https://w3c.github.io/web-locks/). A directory takes the place of an origin, and a thread
 * takes the place of a client.
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
