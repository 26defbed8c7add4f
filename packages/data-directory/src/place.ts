import type { Place } from '@howdah/coordinate'
import { DataDirectory } from './data-directory.ts'
import type { ServerUser } from './user/server-user.ts'

/**
 * The locks of a cluster: *change* is a flock on the data directory itself, *use* is on `PG_VERSION`, the watchdog's lock is
 * on `global`, and the server's lock is on `base`. Every cluster has these files, and no server replaces them. So the locks
 * follow the volume, a copy has locks of its own, and all processes use the same locks, whatever their environment.
 */
export function placeOf(
  { path }: DataDirectory,
  user: ServerUser | null,
  throwAway: boolean,
): Place {
  // The paths are given by name, because other processes use them, too.
  const directory = new DataDirectory(path)
  return {
    change: directory.path,
    use: directory.versionFile,
    watchdog: directory.file('global'),
    server: directory.file('base'),
    record: directory.record,
    // The watchdog runs as root if the server's user could not reach the locks, or could not remove the directory at the end.
    ...(user !== null && user.closed === null && !throwAway && { uid: user.uid, gid: user.gid }),
    throwAway: {
      mark: directory.throwAway,
      directory: directory.path,
      wreck: directory.wreck,
      last: directory.versionFile,
      pidFile: directory.pidFile,
    },
  }
}
