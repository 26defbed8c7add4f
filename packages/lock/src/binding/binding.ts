/** How this package reaches flock(2): by its own prebuilt addon, or by the package fs-ext. If a call gives a number, a negative one is an errno. */
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
  /**
   * Opens a file, made with these permissions unless they are -1, and locks it if nobody has it: gives the descriptor. -4096
   * less the descriptor: it is open, but somebody has the lock or, if `polite`, waits for it.
   */
  take(path: string, permissions: number, operation: number, polite: boolean): number
  /** A copy of a descriptor, as `take` would have opened it. */
  adopt(fd: number): number
  /** Whether the path leads to the open file: 1 or 0. */
  isCurrent(fd: number, path: string): number
  /** Closes what `take` or `adopt` has opened; or keeps it open, if it was taken last, for the next `take` of the path. */
  drop(fd: number, unlock: boolean, keep: boolean): number
  /** Closes what was kept open. */
  tidy(): number
  /**
   * Waits for a descriptor of `take` or `adopt` in a thread of its own, in line with others if that is `fair`. If the file is
   * replaced the descriptor becomes that of the new one. It must not be dropped meanwhile. `ended` gets 0 if it is locked,
   * else a positive errno: EINTR after a cancellation, ESTALE if the file has to be opened anew. Gives a number for `cancel`;
   * negative: an errno, and `ended` is not called; EAGAIN: no thread can be started.
   */
  wait(
    fd: number,
    path: string,
    operation: number,
    fair: boolean,
    ended: (error: number) => void,
  ): number
  /** Ends a wait soon, or, if it is to be settled, before this returns. `ended` is called in any case. */
  cancel(number: number, settle: boolean): number
  /** What macOS's addon can do beyond that; a negative number is an errno. See `native/process.h`. */
  readonly seeProcess?: (pid: number) => NativeProcess | number
  readonly processIds?: () => readonly number[] | number
  readonly hostId?: () => string | number
  readonly bootId?: () => string | number
}

/** What macOS's kernel tells of a process. `null`: only its own user may know. */
export interface NativeProcess {
  /** In seconds since 1970, with six digits of fractions. */
  readonly started: string
  readonly zombie: boolean
  readonly uid: number
  readonly parent: number
  /** The path of what it runs. */
  readonly program: string | null
  /** Its arguments with a space between any two. */
  readonly command: string | null
  /** The device and inode of its working directory: `device:inode`. */
  readonly directory: string | null
}
