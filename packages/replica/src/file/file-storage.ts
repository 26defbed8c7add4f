import { futimes, stat } from 'node:fs'
import { lstat, readdir, rename, rmdir, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { openPlainFile } from '@howdah/durable'
import { ifThere, io, ReplicaError } from '../errors.ts'
import type { FileFacts, Item, NewFile, Storage } from '../storage.ts'
import { makeDirectory, syncDirectory } from './durable-directory.ts'
import type { Modes } from './modes.ts'
import { absolutePath } from './path-of-url.ts'
import { TemporaryFile, temporaryFor } from './temporary-file.ts'

const chunkSize = 262_144

/** The files below a directory. */
export class FileStorage implements Storage {
  readonly type = 'file'
  readonly root: string
  readonly #modes: Modes

  constructor(root: string, modes: Modes) {
    if (root === '')
      throw new ReplicaError(
        'ERR_REPLICA_OPTION',
        'the path of the replica is empty; give its directory',
      )
    this.root = absolutePath(root)
    this.#modes = modes
  }

  join(...names: string[]): string {
    return join(this.root, ...names)
  }

  levelDirectory(level: number): string {
    return this.join('ltx', `${level}`)
  }

  async list(directory: string): Promise<Item[]> {
    const names = await ifThere('list', directory, () =>
      readdir(directory).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOTDIR') return []
        throw error
      }),
    )
    return (names ?? []).toSorted().map((name) => ({ name }))
  }

  async look(path: string): Promise<FileFacts | null> {
    const found = await ifThere('look at', path, () => promiseOfStat(path))
    return found?.isFile() ? { size: found.size, modified: found.mtime } : null
  }

  /** Closing the stream closes the file. */
  async open(path: string, offset: number, size: number): Promise<Readable> {
    const handle = await io('open', path, () => openPlainFile(path))
    return handle.createReadStream({
      start: offset,
      highWaterMark: chunkSize,
      ...(size === 0 ? {} : { end: offset + size - 1 }),
    })
  }

  async create(path: string, modified: () => Date): Promise<NewFile> {
    await makeDirectory(dirname(path), this.#modes.directoryMode)
    const file = await TemporaryFile.create(path, this.#modes.fileMode)
    return {
      append: async (data) => await file.append(data),
      publish: async () => {
        const time = fileTime(modified().getTime())
        await io('set the time of', file.path, () =>
          promisify(futimes)(file.handle.fd, new Date(), time),
        )
        await file.finish()
        await io('publish', path, () => rename(file.path, path))
        await syncDirectory(dirname(path))
      },
      [Symbol.asyncDispose]: async () => await file[Symbol.asyncDispose](),
    }
  }

  async delete(paths: readonly string[]): Promise<void> {
    const directories = new Set<string>()
    for (const path of paths) if (await unlinkIfThere(path)) directories.add(dirname(path))
    for (const directory of directories) await syncDirectory(directory)
  }

  async deleteIn(directories: readonly string[], isOurs: (name: string) => boolean): Promise<void> {
    for (const directory of directories) {
      if (!(await isDirectory(directory))) continue
      for (const { name } of await this.list(directory)) {
        const path = join(directory, name)
        if (isOurs(temporaryFor(name) ?? name) && !(await isDirectory(path)))
          await unlinkIfThere(path)
      }
      await removeIfEmpty(directory)
    }
    await removeIfEmpty(this.join('ltx'))
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await ifThere('look at', path, () => lstat(path)))?.isDirectory() ?? false
}

async function unlinkIfThere(path: string): Promise<boolean> {
  return (await ifThere('delete', path, () => unlink(path).then(() => true))) ?? false
}

async function removeIfEmpty(directory: string): Promise<void> {
  const names = await ifThere('list', directory, () => readdir(directory))
  if (names?.length !== 0) return
  await io('delete', directory, () => rmdir(directory).catch(ignoreRefilled))
  await syncDirectory(dirname(directory))
}

/** With thousands of files it takes less time than that of `node:fs/promises`. */
const promiseOfStat = promisify(stat)

/** Ignores the error if another process has meanwhile written into the directory or deleted it. */
function ignoreRefilled(error: NodeJS.ErrnoException): void {
  if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(error.code ?? '')) throw error
}

/**
 * A time for utimes, in seconds.
 *
 * It is a microsecond later, so that rounding a double does not lose a millisecond. It is a text, because Node reads a
 * negative number as the present.
 */
function fileTime(milliseconds: number): string {
  return `${(milliseconds * 1000 + 1) / 1e6}`
}
