import type { Paths } from '@howdah/coordinate'
import { DataDirectory } from './data-directory.ts'
import type { ServerUser } from './user/server-user.ts'

/**
 * The locks of a cluster: *change* is a flock on the data directory itself, *use* is on `PG_VERSION`, the watchdog's lock is
 * on `global`, and the server's lock is on `base`. Every cluster has these files, and no server replaces them. So the locks
 * follow the volume, a copy has locks of its own, and all processes use the same locks, whatever their environment.
 */
export function coordinationPaths(
  { path }: DataDirectory,
  user: ServerUser | null = null,
  throwAway = false,
): Paths {
  // The paths are given by name, because other processes use them, too.
  const directory = new DataDirectory(path)
  // The watchdog runs as root if the server's user could not reach the locks, or could not remove the directory at the end.
  const watchdogUser = user?.closed === null && !throwAway ? user : null
  return {
    change: directory.path,
    use: directory.versionFile,
    watchdog: directory.file('global'),
    server: directory.file('base'),
    record: directory.record,
    uid: watchdogUser?.uid,
    gid: watchdogUser?.gid,
    throwAway: {
      mark: directory.throwAway,
      directory: directory.path,
      wreck: directory.wreck,
      last: directory.versionFile,
      pidFile: directory.pidFile,
    },
  }
}
