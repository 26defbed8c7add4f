import type { Readable } from 'node:stream'

/** What a listing says about something in a directory. */
export interface Item {
  readonly name: string
  /** Its size in bytes and its time, if the listing comes with them. */
  readonly facts?: FileFacts
}

/** The size of a file and when it was changed. */
export interface FileFacts {
  /** In bytes. */
  readonly size: number
  readonly modified: Date
}

/** A file that is being written, and does not show before it is published. When it is disposed unpublished, nothing is left. */
export interface NewFile extends AsyncDisposable {
  append(data: Uint8Array): Promise<void>
  /** Gives the file its name and its time, durably. */
  publish(): Promise<void>
}

/** A tree of files, on disk or in an object store. Paths are whole ones, as messages show them, made by `join`. */
export interface Storage {
  readonly type: 'file' | 's3'
  /** The path of the tree's top. */
  readonly root: string
  /** The path of something below the top. */
  join(...names: string[]): string
  /** The directory to which LTX files of a level are written. */
  levelDirectory(level: number): string
  /** What lies directly in a directory, files and directories; nothing if the directory is not there. */
  list(directory: string): Promise<Item[]>
  /** A file's size, and its own time if that is kept with it; `null` if there is no such file. */
  look(path: string): Promise<FileFacts | null>
  /** Opens a range of a file, in bytes; a size of 0 means up to the end. Throws `ENOENT` if there is no such file. */
  open(path: string, offset: number, size: number): Promise<Readable>
  /** Starts a file that replaces the one of that path; `modified` is asked for its time before the first byte is stored. */
  create(path: string, modified: () => Date): Promise<NewFile>
  /** Deletes files; what is gone already is not an error. */
  delete(paths: readonly string[]): Promise<void>
  /** Deletes the files of these directories that `isOurs` knows by name, what killed writers left, and emptied directories. */
  deleteIn(directories: readonly string[], isOurs: (name: string) => boolean): Promise<void>
}
