/** The operating system's user that a server runs as if we are root, because PostgreSQL refuses to run as root. */
export interface ServerUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
  /** The first directory above the data directory that the user may not enter, or `null`. */
  readonly closed: string | null
  /** A message for the caller about the choice; `null` if there is none. */
  readonly notice: string | null
}

/** A user in the system's user database. */
export type KnownUser = Pick<ServerUser, 'name' | 'uid' | 'gid'>
