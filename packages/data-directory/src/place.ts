import type { Place } from '@howdah/coordinate'
import { DataDirectory } from './data-directory.ts'
import type { ServerUser } from './user/server-user.ts'

/**
 * Where the locks of a cluster lie: *change* is the flock of the data directory itself, *use* that of `PG_VERSION`, the
 * watchdog's that of `global`, and the server's that of `base`. Every cluster has them, and no server replaces them. So they
 * follow the volume, a copy has locks of its own, and every process agrees on them, whatever its environment.
 */
export function placeOf(
  { path }: DataDirectory,
  user: ServerUser | null,
  throwAway: boolean,
): Place {
  // By names, which other processes are told.
  const directory = new DataDirectory(path)
  return {
    change: directory.path,
    use: directory.versionFile,
    watchdog: directory.file('global'),
    server: directory.file('base'),
    record: directory.record,
    // A watchdog that could not get to the locks, or not remove the directory at the end, runs as root.
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
