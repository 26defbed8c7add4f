/** How this package reaches flock(2): by its own prebuilt addon, or by the package fs-ext. Where a call gives a number, a negative one is an errno. */
export interface Binding {
  readonly name: 'native' | 'fs-ext'
  /** The file that was loaded. */
  readonly file: string
  /** flock(2) without waiting: 0 or an errno. */
  readonly flock: (fd: number, operation: number) => number
  /** What only our own addon can do. */
  readonly native: Native | null
}

/** The functions of the addon, see `native/flock.c`. */
export interface Native {
  readonly flock: Binding['flock']
  /** Opens and locks a file that nobody has; EAGAIN: somebody has it or, if `polite`, waits for it. */
  take(path: string, flags: number, operation: number, polite: boolean): number
  /** Whether the path leads to the open file, which is no directory: 1 or 0. */
  isCurrent(fd: number, path: string): number
  /** Closes what `take` has opened. */
  drop(fd: number, unlock: boolean): number
  /**
   * Waits in a thread of its own for `gate` (-1: none), then for `fd`, and then unlocks the gate. `ended` gets 0 if `fd` is
   * locked, else a positive errno. Gives a number for `cancel`; negative: no thread can be had.
   */
  wait(gate: number, fd: number, operation: number, ended: (error: number) => void): number
  /**
   * Ends a wait soon. `ended` is called in any case. If it is to be settled, it has ended when this returns, and 0 says that
   * `fd` is locked; a negative errno, that it is not.
   */
  cancel(number: number, settle: boolean): number
}
