/** The modes of what a replica makes, which the process's umask restricts further. */
export interface Modes {
  /** Of directories: 0700 by default. */
  readonly directoryMode: number
  /** Of files, restored databases among them: 0600 by default. */
  readonly fileMode: number
}

/** These modes, and the defaults for the others. */
export function withDefaults(modes: Partial<Modes>): Modes {
  return { directoryMode: 0o700, fileMode: 0o600, ...modes }
}
