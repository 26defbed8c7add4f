/** The operating system's user as whom a server runs when we are root, which PostgreSQL refuses to run as. */
export interface ServerUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
  /** The first directory above the data directory that the user may not enter, or `null`. */
  readonly closed: string | null
  /** Set where the choice deserves a word to whoever called. */
  readonly notice: string | null
}

/** A user as the system knows them. */
export type KnownUser = Pick<ServerUser, 'name' | 'uid' | 'gid'>
