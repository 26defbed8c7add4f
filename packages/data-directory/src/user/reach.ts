import { closeSync, constants, openSync } from 'node:fs'
import type { ServerUser } from './server-user.ts'
import { isByDescriptor } from '../tree/held-directory.ts'

/** How one of the server's programs is given a directory to work on. To be disposed once the program is spawned. */
export interface Reach extends Disposable {
  /** What its `-D` says. */
  readonly argument: string
  /** Where it starts. */
  readonly cwd: string
  /** What it inherits as descriptor 3, or nothing. */
  readonly descriptors: readonly [] | readonly [number]
}

/**
 * The way to a directory for the server's user.
 *
 * Usually that is its path. But when root's directories above it are closed to that user — as below `/root`, or in what
 * `mkdtemp` makes — the program inherits a descriptor of the directory, and `/proc/self/fd/3` leads there past them all.
 * Works with PostgreSQL 10 to 18, on Linux, without privileges beyond being root.
 */
export function reach(path: string, user: ServerUser | null): Reach {
  if (!isByDescriptor(path) && (user === null || user.closed === null)) {
    return { argument: path, cwd: path, descriptors: [], [Symbol.dispose]: () => undefined }
  }
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  return {
    argument: '/proc/self/fd/3',
    // Up to 15, they change to where their executable lies and back again, which must be possible.
    cwd: '/',
    descriptors: [fd],
    [Symbol.dispose]: () => closeSync(fd),
  }
}
