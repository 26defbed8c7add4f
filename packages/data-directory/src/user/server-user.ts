/** The operating system's user that a server runs as if we are root; PostgreSQL refuses to run as root. */
export interface ServerUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
  /** The first directory above the data directory that the user may not enter, or `null`. */
  readonly closed: string | null
  /** What to tell the caller about the choice, if anything. */
  readonly notice: string | null
}

/** A user as the system knows them. */
export type KnownUser = Pick<ServerUser, 'name' | 'uid' | 'gid'>
