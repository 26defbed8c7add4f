import type { CompletedPart } from '@aws-sdk/client-s3'
import { ReplicaError } from '../errors.ts'
import type { NewFile } from '../storage.ts'
import type { S3Bucket } from './s3-bucket.ts'

/** The largest number of parts that S3 accepts. */
const mostParts = 10_000

/** An object that is being written: at once if it is small, otherwise in parts. The object does not appear before the end. */
export class S3Upload implements NewFile {
  readonly #bucket: S3Bucket
  readonly #url: string
  readonly #partSize: number
  readonly #modified: () => Date
  readonly #parts: CompletedPart[] = []
  #upload: string | null = null
  #buffer: Buffer
  #filled = 0

  /** `modified` is called for the object's time before the first part is sent. */
  constructor(bucket: S3Bucket, url: string, partSize: number, modified: () => Date) {
    this.#bucket = bucket
    this.#url = url
    this.#partSize = partSize
    this.#modified = modified
    this.#buffer = Buffer.allocUnsafe(Math.min(partSize, 65_536))
  }

  async append(data: Uint8Array): Promise<void> {
    for (let from = 0; from < data.length;) {
      if (this.#filled === this.#partSize) await this.#sendPart()
      const size = Math.min(data.length - from, this.#partSize - this.#filled)
      this.#makeRoom(size)
      this.#buffer.set(data.subarray(from, from + size), this.#filled)
      this.#filled += size
      from += size
    }
  }

  async publish(): Promise<void> {
    if (this.#upload === null) {
      const data = this.#buffer.subarray(0, this.#filled)
      await this.#bucket.put(this.#url, data, this.#modified())
      return
    }
    await this.#sendPart()
    await this.#bucket.finishUpload(this.#url, this.#upload, this.#parts)
    this.#upload = null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const upload = this.#upload
    if (upload === null) return
    this.#upload = null
    // Remaining parts do not appear, and the first error matters more.
    await this.#bucket.abortUpload(this.#url, upload).catch(() => undefined)
  }

  #makeRoom(size: number): void {
    if (this.#filled + size <= this.#buffer.length) return
    const larger = Math.max(this.#filled + size, this.#buffer.length * 2)
    const buffer = Buffer.allocUnsafe(Math.min(larger, this.#partSize))
    this.#buffer.copy(buffer, 0, 0, this.#filled)
    this.#buffer = buffer
  }

  async #sendPart(): Promise<void> {
    const number = this.#parts.length + 1
    if (number > mostParts) {
      throw new ReplicaError(
        'ERR_REPLICA_OPTION',
        `${this.#url} is larger than ${mostParts} parts of ${this.#partSize} bytes; give a larger partSize`,
        { path: this.#url },
      )
    }
    this.#upload ??= await this.#bucket.startUpload(this.#url, this.#modified())
    const data = this.#buffer.subarray(0, this.#filled)
    this.#parts.push(await this.#bucket.uploadPart(this.#url, this.#upload, number, data))
    this.#filled = 0
  }
}
