import { Readable } from 'node:stream'
import { ReplicaError } from '../errors.ts'
import { hexLevelName, parseLevel } from '../ltx/level-name.ts'
import type { FileFacts, Item, NewFile, Storage } from '../storage.ts'
import { resumingStream } from './resuming-stream.ts'
import type { S3Bucket } from './s3-bucket.ts'
import { S3Upload } from './s3-upload.ts'

const deletedAtATime = 16
const largestLevel = 0xfff

/** The objects below a prefix of a bucket, as a tree of files. */
export class S3Storage implements Storage {
  readonly type = 's3'
  readonly root: string
  readonly #bucket: S3Bucket
  readonly #partSize: number

  constructor(bucket: S3Bucket, prefix: string, partSize: number) {
    this.#bucket = bucket
    this.#partSize = partSize
    this.root = prefix === '' ? bucket.url : `${bucket.url}/${prefix}`
  }

  join(...names: string[]): string {
    return [this.root, ...names].join('/')
  }

  levelDirectory(level: number): string {
    if (level > largestLevel) {
      throw new ReplicaError('ERR_REPLICA_OPTION', `the level ${level} is over ${largestLevel}`)
    }
    return this.join(hexLevelName(level))
  }

  async list(directory: string): Promise<Item[]> {
    const items: Item[] = []
    const prefix = `${directory}/`
    const start = this.#bucket.key(prefix).length
    for await (const page of this.#bucket.list(prefix, '/')) {
      for (const { Key = '', Size = 0, LastModified = new Date(0) } of page.Contents ?? []) {
        const name = Key.slice(start)
        // A console may have made an empty object for the directory itself.
        if (name !== '') items.push({ name, facts: { size: Size, modified: LastModified } })
      }
      for (const { Prefix = '' } of page.CommonPrefixes ?? []) {
        items.push({ name: Prefix.slice(start, -1) })
      }
    }
    return items.toSorted((one, other) => (one.name < other.name ? -1 : 1))
  }

  async look(path: string): Promise<FileFacts | null> {
    return await this.#bucket.head(path)
  }

  async open(path: string, offset: number, size: number): Promise<Readable> {
    const range = { start: offset, end: size === 0 ? undefined : offset + size - 1 }
    const body = await this.#bucket.get(path, range)
    return body === null ? Readable.from([]) : resumingStream(this.#bucket, path, range, body)
  }

  async create(path: string, modified: () => Date): Promise<NewFile> {
    return new S3Upload(this.#bucket, path, this.#partSize, modified)
  }

  async delete(paths: readonly string[]): Promise<void> {
    for (let from = 0; from < paths.length; from += deletedAtATime) {
      const some = paths.slice(from, from + deletedAtATime)
      await Promise.all(some.map(async (path) => await this.#bucket.delete(path)))
    }
  }

  async deleteIn(directories: readonly string[], isOurs: (name: string) => boolean): Promise<void> {
    for (const directory of directories) {
      const items = await this.list(directory)
      const paths = items.map(({ name }) => `${directory}/${name}`)
      await this.delete(paths.filter((_, index) => isOurs(items[index]?.name ?? '')))
    }
    for await (const { url, upload } of this.#bucket.uploads(`${this.root}/`)) {
      const [name = '', level = '', ...above] = url
        .slice(this.root.length + 1)
        .split('/')
        .toReversed()
      const isInLevel = parseLevel(level) !== null && above.length === 0
      if (isInLevel && isOurs(name)) await this.#bucket.abortUpload(url, upload)
    }
  }
}
