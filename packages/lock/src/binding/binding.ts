/**
 * How this package calls flock(2): by its own prebuilt addon, or by the package fs-ext. A negative result of a call is an
 * errno.
 */
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
   * Opens a file and tries to lock it; makes a missing file with these permissions, unless they are -1. Gives the descriptor
   * if the file is locked now. Gives -4096 less the descriptor if the file is open but not locked, because somebody has the
   * lock or, if `polite`, waits for it.
   */
  take(path: string, permissions: number, operation: number, polite: boolean): number
  /** Copies a descriptor, so that the copy can be used as one from `take`. */
  adopt(fd: number): number
  /** Gives 1 if the path leads to the open file, else 0. */
  isCurrent(fd: number, path: string): number
  /**
   * Closes a descriptor of `take` or `adopt`. With `keep`, the descriptor that was taken last stays open for the next `take`
   * of its path.
   */
  drop(fd: number, unlock: boolean, keep: boolean): number
  /** Closes the descriptor that `drop` has kept open. */
  tidy(): number
  /**
   * Waits for the lock on a descriptor of `take` or `adopt` in a thread of its own, in line with others if `fair`. If the
   * file is replaced, the descriptor is made to lead to the new file. The descriptor must not be dropped meanwhile. `ended`
   * gets 0 if the file is locked, else a positive errno: EINTR after a cancellation, ESTALE if the file has to be opened
   * anew. Gives a number to pass to `cancel`. If the result is negative it is an errno and `ended` is not called; EAGAIN
   * means that no thread can be started.
   */
  wait(
    fd: number,
    path: string,
    operation: number,
    fair: boolean,
    ended: (error: number) => void,
  ): number
  /** Ends a wait soon; with `settle`, before `cancel` returns. `ended` is called in any case. */
  cancel(number: number, settle: boolean): number
  /** Swaps what is at two paths, in one step of the kernel: 0 or a negative errno. */
  exchange(one: string, other: string): number
  /** Makes a segment of System V shared memory and removes it: 0 or a negative errno. */
  trySharedMemory(): number
  /** Further functions of the addon for macOS; a negative number is an errno. See `native/process.h`. */
  readonly seeProcess?: (pid: number) => NativeProcess | number
  readonly processIds?: () => readonly number[] | number
  readonly hostId?: () => string | number
  readonly bootId?: () => string | number
}

/** What the kernel of macOS tells about a process. A field is `null` if only the user of the process may know it. */
export interface NativeProcess {
  /** The start time in seconds since 1970, with six decimal places. */
  readonly started: string
  readonly zombie: boolean
  readonly uid: number
  readonly parent: number
  /** The path of its program. */
  readonly program: string | null
  /** Its arguments, separated by spaces. */
  readonly command: string | null
  /** The device and inode of its working directory: `device:inode`. */
  readonly directory: string | null
}
