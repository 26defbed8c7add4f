import type { Readable } from 'node:stream'
import type * as S3 from '@aws-sdk/client-s3'
import { s3, s3IfThere, statusOf } from './s3-error.ts'
import type { S3Sender } from './s3-sender.ts'

/** What is used of the library. */
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

/** A part of an object's data, and what tells whether the object is still the same. */
export interface Body {
  readonly stream: Readable
  /** How many bytes are to come. */
  readonly length: number
  readonly etag: string | undefined
}

/** A range of bytes; an end that is missing means that of the object. */
export interface Range {
  readonly start: number
  /** The last byte. */
  readonly end?: number | undefined
}

/** Metadata of an object that says when the last transaction in it was made, by litestream's name for it. */
const timestampName = 'litestream-timestamp'

/** The requests that a replica makes of a bucket. Paths are `s3://` URLs. All throw a `ReplicaError`. */
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

  /** The objects whose keys start so, a thousand at a time, and with a delimiter the prefixes up to it. */
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

  /** An object's size and times; `null` if there is none. */
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

  /** An object's data; with an etag, of that version only. `null` if the range starts after the object's end. */
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

  /** Uploads a part; numbers start with 1. */
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

  /** Makes an object of an upload's parts. */
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

  /** Throws an upload's parts away. */
  async abortUpload(url: string, upload: string): Promise<void> {
    const { AbortMultipartUploadCommand } = this.#library
    await s3IfThere('discard the parts of', url, () =>
      this.#send(new AbortMultipartUploadCommand({ ...this.#object(url), UploadId: upload })),
    )
  }

  /** Unfinished uploads below a path. None if the store does not list them. */
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

  /** Deletes an object; one that is gone already is not an error. */
  async delete(url: string): Promise<void> {
    const { DeleteObjectCommand } = this.#library
    await s3IfThere('delete', url, () => this.#send(new DeleteObjectCommand(this.#object(url))))
  }

  /** The key, or the prefix, that a path stands for. */
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
