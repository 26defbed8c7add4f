import type { Readable } from 'node:stream'
import type * as S3 from '@aws-sdk/client-s3'
import { s3, s3IfThere, statusOf } from './s3-error.ts'
import type { S3Sender } from './s3-sender.ts'

/** The parts of the library that we use. */
export type S3Library = Pick<
  typeof S3,
  | 'AbortMultipartUploadCommand'
  | 'CompleteMultipartUploadCommand'
  | 'CreateMultipartUploadCommand'
  | 'DeleteObjectCommand'
  | 'GetObjectCommand'
  | 'HeadObjectCommand'
  | 'ListMultipartUploadsCommand'
  | 'ListObjectsV2Command'
  | 'PutObjectCommand'
  | 'S3Client'
  | 'UploadPartCommand'
>

/** A part of an object's data, and the etag that identifies the object's version. */
export interface Body {
  readonly stream: Readable
  /** The number of bytes in the stream. */
  readonly length: number
  readonly etag: string | undefined
}

/** A range of bytes. Without an end, it ends with the object. */
export interface Range {
  readonly start: number
  /** The last byte. */
  readonly end?: number | undefined
}

/** Litestream's name of the metadata for the time of the last transaction in an object. */
const timestampName = 'litestream-timestamp'

/** The requests of a replica to a bucket. Paths are `s3://` URLs. All methods throw a `ReplicaError`. */
export class S3Bucket {
  readonly url: string
  readonly #library: S3Library
  readonly #sender: S3Sender
  readonly #bucket: string

  constructor(library: S3Library, sender: S3Sender, bucket: string) {
    this.#library = library
    this.#sender = sender
    this.#bucket = bucket
    this.url = `s3://${bucket}`
  }

  /**
   * The objects with keys that start with this path, a thousand at a time. With a delimiter, it also lists the prefixes up
   * to it.
   */
  async *list(url: string, delimiter?: string): AsyncGenerator<S3.ListObjectsV2CommandOutput> {
    let token: string | undefined
    do {
      const page: S3.ListObjectsV2CommandOutput = await s3('list', url, () =>
        this.#send(
          new this.#library.ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: this.key(url),
            Delimiter: delimiter,
            ContinuationToken: token,
          }),
        ),
      )
      yield page
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (token !== undefined)
  }

  /** An object's size and time; `null` if there is no such object. */
  async head(url: string): Promise<{ size: number; modified: Date } | null> {
    const { HeadObjectCommand } = this.#library
    const answer = await s3IfThere<S3.HeadObjectCommandOutput>('look at', url, () =>
      this.#send(new HeadObjectCommand(this.#object(url))),
    )
    if (answer === null) return null
    const own = new Date(answer.Metadata?.[timestampName] ?? Number.NaN)
    const modified = Number.isNaN(own.getTime()) ? (answer.LastModified ?? new Date(0)) : own
    return { size: answer.ContentLength ?? 0, modified }
  }

  /** An object's data; with an etag, only of that version. Returns `null` if the range starts after the object's end. */
  async get(url: string, range: Range, etag?: string): Promise<Body | null> {
    const { start, end = '' } = range
    const Range = start === 0 && end === '' ? undefined : `bytes=${start}-${end}`
    const { GetObjectCommand } = this.#library
    return await s3('read', url, async () => {
      try {
        const answer: S3.GetObjectCommandOutput = await this.#send(
          new GetObjectCommand({ ...this.#object(url), Range, IfMatch: etag }),
        )
        const stream = answer.Body as Readable
        return { stream, length: answer.ContentLength ?? 0, etag: answer.ETag }
      } catch (error) {
        if (statusOf(error) === 416) return null
        throw error
      }
    })
  }

  async put(url: string, data: Uint8Array, timestamp: Date): Promise<void> {
    const { PutObjectCommand } = this.#library
    await s3('write', url, () =>
      this.#send(
        new PutObjectCommand({ ...this.#object(url), Body: data, Metadata: metadata(timestamp) }),
      ),
    )
  }

  /** Starts an upload in parts, and returns its id. */
  async startUpload(url: string, timestamp: Date): Promise<string> {
    const { CreateMultipartUploadCommand } = this.#library
    const answer: S3.CreateMultipartUploadCommandOutput = await s3('write', url, () =>
      this.#send(
        new CreateMultipartUploadCommand({ ...this.#object(url), Metadata: metadata(timestamp) }),
      ),
    )
    return answer.UploadId ?? ''
  }

  /** Uploads a part. Part numbers start with 1. */
  async uploadPart(
    url: string,
    upload: string,
    number: number,
    data: Uint8Array,
  ): Promise<S3.CompletedPart> {
    const { UploadPartCommand } = this.#library
    const part = { ...this.#object(url), UploadId: upload, PartNumber: number, Body: data }
    const answer: S3.UploadPartCommandOutput = await s3('write', url, () =>
      this.#send(new UploadPartCommand(part)),
    )
    return { PartNumber: number, ETag: answer.ETag }
  }

  /** Makes an object from the parts of an upload. */
  async finishUpload(url: string, upload: string, parts: S3.CompletedPart[]): Promise<void> {
    const { CompleteMultipartUploadCommand } = this.#library
    await s3('publish', url, () =>
      this.#send(
        new CompleteMultipartUploadCommand({
          ...this.#object(url),
          UploadId: upload,
          MultipartUpload: { Parts: parts },
        }),
      ),
    )
  }

  /** Discards the parts of an upload. */
  async abortUpload(url: string, upload: string): Promise<void> {
    const { AbortMultipartUploadCommand } = this.#library
    await s3IfThere('discard the parts of', url, () =>
      this.#send(new AbortMultipartUploadCommand({ ...this.#object(url), UploadId: upload })),
    )
  }

  /** The unfinished uploads below a path; none if the store does not list them. */
  async *uploads(url: string): AsyncGenerator<{ url: string; upload: string }> {
    const { ListMultipartUploadsCommand } = this.#library
    let at: Pick<S3.ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'> | null = {}
    while (at !== null) {
      const input: S3.ListMultipartUploadsCommandInput = {
        Bucket: this.#bucket,
        Prefix: this.key(url),
        ...at,
      }
      const page: S3.ListMultipartUploadsCommandOutput | null = await s3('list', url, async () => {
        try {
          return await this.#send(new ListMultipartUploadsCommand(input))
        } catch (error) {
          if (statusOf(error) === 501 || statusOf(error) === 405) return null
          throw error
        }
      })
      for (const { Key, UploadId } of page?.Uploads ?? []) {
        if (Key !== undefined && UploadId !== undefined) {
          yield { url: `${this.url}/${Key}`, upload: UploadId }
        }
      }
      at =
        page?.IsTruncated === true
          ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
          : null
    }
  }

  /** Deletes an object. A missing object is not an error. */
  async delete(url: string): Promise<void> {
    const { DeleteObjectCommand } = this.#library
    await s3IfThere('delete', url, () => this.#send(new DeleteObjectCommand(this.#object(url))))
  }

  /** The key or the prefix of a path. */
  key(url: string): string {
    return url.slice(this.url.length + 1)
  }

  #object(url: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.key(url) }
  }

  async #send<Output>(command: object): Promise<Output> {
    return (await this.#sender.send(command as never)) as Output
  }
}

function metadata(timestamp: Date): Record<string, string> {
  return { [timestampName]: timestamp.toISOString() }
}
