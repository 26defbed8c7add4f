/** The modes of what a replica makes, which the process's umask restricts further. */
export interface Modes {
  /** Of directories: 0700 by default. */
  readonly directoryMode: number
  /** Of files, restored databases among them: 0600 by default. */
  readonly fileMode: number
}
