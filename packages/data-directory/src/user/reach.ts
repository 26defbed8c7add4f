import { closeSync, constants, openSync } from 'node:fs'
import type { ServerUser } from './server-user.ts'
import { isByDescriptor } from '../tree/held-directory.ts'

/** How a program of the server reaches its directory. Dispose of it once the program is spawned. */
export interface Reach extends Disposable {
  /** The value of `-D`. */
  readonly argument: string
  /** The working directory in which it starts. */
  readonly cwd: string
  /** The descriptor that it inherits as descriptor 3, if any. */
  readonly descriptors: readonly [] | readonly [number]
}

/**
 * Finds a way for the server's user to reach a directory.
 *
 * Usually this is the directory's path. But if a parent directory of root's is closed to that user, as `/root` or a directory
 * made by `mkdtemp` is, the program inherits a descriptor of the directory, and reaches it by `/proc/self/fd/3`. This works
 * with PostgreSQL 10 to 18, on Linux, for root without further privileges.
 */
export function reach(path: string, user: ServerUser | null): Reach {
  if (!isByDescriptor(path) && (user === null || user.closed === null)) {
    return { argument: path, cwd: path, descriptors: [], [Symbol.dispose]: () => undefined }
  }
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  return {
    argument: '/proc/self/fd/3',
    // Up to version 15, programs change to the directory of their executable and back again, so the working directory must be
    // reachable.
    cwd: '/',
    descriptors: [fd],
    [Symbol.dispose]: () => closeSync(fd),
  }
}
