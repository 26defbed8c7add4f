import type { Readable } from 'node:stream'

/** An entry of a directory. */
export interface Item {
  readonly name: string
  /** Its size and its time, if the listing contains them. */
  readonly facts?: FileFacts
}

/** The size of a file and its mtime. */
export interface FileFacts {
  /** In bytes. */
  readonly size: number
  readonly modified: Date
}

/** A file that is being written. It does not appear before it is published. If it is disposed before, nothing is left. */
export interface NewFile extends AsyncDisposable {
  append(data: Uint8Array): Promise<void>
  /** Gives the file its name and its time. Both survive a power failure. */
  publish(): Promise<void>
}

/** A tree of files, on disk or in an object store. Paths are complete, as in messages, and are made by `join`. */
export interface Storage {
  readonly type: 'file' | 's3'
  /** The path of the root. */
  readonly root: string
  /** The path of a file or directory below the root. */
  join(...names: string[]): string
  /** The directory to which LTX files of a level are written. */
  levelDirectory(level: number): string
  /** The files and directories in a directory; empty if the directory does not exist. */
  list(directory: string): Promise<Item[]>
  /** A file's size, and the time that is stored with it; `null` if there is no such file. */
  look(path: string): Promise<FileFacts | null>
  /** Opens a range of a file, in bytes; a size of 0 means up to the end. Throws `ENOENT` if there is no such file. */
  open(path: string, offset: number, size: number): Promise<Readable>
  /** Starts a file that replaces the one at the path. `modified` is called for its time before the first byte is stored. */
  create(path: string, modified: () => Date): Promise<NewFile>
  /** Deletes files. A missing file is not an error. */
  delete(paths: readonly string[]): Promise<void>
  /**
   * Deletes the files in these directories for which `isOurs` returns true, the temporary files of killed writers, and the
   * directories that become empty.
   */
  deleteIn(directories: readonly string[], isOurs: (name: string) => boolean): Promise<void>
}
