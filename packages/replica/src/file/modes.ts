/** The modes of the files and directories that a replica makes. The process's umask restricts them further. */
export interface Modes {
  /** The mode of directories; 0700 by default. */
  readonly directoryMode: number
  /** The mode of files, including restored databases; 0600 by default. */
  readonly fileMode: number
}

/** Adds the defaults for missing modes. */
export function withDefaults(modes: Partial<Modes>): Modes {
  return { directoryMode: 0o700, fileMode: 0o600, ...modes }
}
