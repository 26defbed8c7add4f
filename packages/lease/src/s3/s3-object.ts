import type * as S3 from '@aws-sdk/client-s3'
import type { S3Sender } from './s3-sender.ts'

/** The part of the library that is used. */
export type S3Library = Pick<
  typeof S3,
  'DeleteObjectCommand' | 'GetObjectCommand' | 'PutObjectCommand' | 'S3Client'
>

/** The condition of a PUT: there is no object, or the object has this etag. */
export type Condition = { readonly absent: true } | { readonly etag: string }

/** An etag without its quotes, as some stores compare it. */
export function bareEtag(etag: string): string {
  return etag.replace(/^(W\/)?"(.*)"$/, '$2')
}

/** An unexpected answer. `status` is 0 if no answer came. */
export interface Refusal {
  readonly status: number
  readonly error: unknown
}

/** An object of a bucket. Each request has a time limit. Expected answers are values. */
export class S3Object {
  readonly #library: S3Library
  readonly #sender: S3Sender
  readonly #bucket: string
  readonly #key: string
  readonly #timeout: number

  constructor(library: S3Library, sender: S3Sender, bucket: string, key: string, timeout: number) {
    this.#library = library
    this.#sender = sender
    this.#bucket = bucket
    this.#key = key
    this.#timeout = timeout
  }

  get url(): string {
    return `s3://${this.#bucket}/${this.#key}`
  }

  /** The object, with its ETag as received; `null` if there is none. */
  async get(signal?: AbortSignal): Promise<{ bytes: Uint8Array; etag: string } | Refusal | null> {
    const { GetObjectCommand } = this.#library
    return this.#send<{ bytes: Uint8Array; etag: string } | null>(
      new GetObjectCommand({ Bucket: this.#bucket, Key: this.#key }),
      signal,
      async (answer: S3.GetObjectCommandOutput) => ({
        bytes: (await answer.Body?.transformToByteArray()) ?? new Uint8Array(),
        etag: answer.ETag ?? '',
      }),
      (refusal) => (isMissingObject(refusal) ? null : refusal),
    )
  }

  /**
   * Writes the object on a condition. Gives the new ETag, `lost` if the condition does not hold (412), or `gone` if there is
   * no object (404).
   */
  async put(
    bytes: Uint8Array,
    condition: Condition,
    signal?: AbortSignal,
  ): Promise<{ etag: string } | 'lost' | 'gone' | Refusal> {
    const { PutObjectCommand } = this.#library
    const only = 'etag' in condition ? { IfMatch: condition.etag } : { IfNoneMatch: '*' }
    return this.#send<{ etag: string } | 'lost' | 'gone'>(
      new PutObjectCommand({
        Bucket: this.#bucket,
        Key: this.#key,
        Body: bytes,
        ContentType: 'application/json',
        ...only,
      }),
      signal,
      (answer: S3.PutObjectCommandOutput) => ({ etag: answer.ETag ?? '' }),
      (refusal) => {
        if (refusal.status === 412) return 'lost'
        return isMissingObject(refusal) ? 'gone' : refusal
      },
    )
  }

  async delete(): Promise<Refusal | null> {
    const { DeleteObjectCommand } = this.#library
    return this.#send<null>(
      new DeleteObjectCommand({ Bucket: this.#bucket, Key: this.#key }),
      undefined,
      () => null,
      (refusal) => refusal,
    )
  }

  /** Sends a command. `expect` turns a refusal into an expected answer, or gives it back. */
  async #send<Value>(
    command: object,
    signal: AbortSignal | undefined,
    take: (answer: never) => Value | Promise<Value>,
    expect: (refusal: Refusal) => Value | Refusal,
  ): Promise<Value | Refusal> {
    // A timer that can be cleared, unlike that of AbortSignal.timeout.
    const controller = new AbortController()
    const timer = setTimeout(() => {
      controller.abort(new Error(`no answer within ${this.#timeout} ms`))
    }, this.#timeout)
    const forward = () => controller.abort(signal?.reason)
    signal?.addEventListener('abort', forward, { once: true })
    try {
      signal?.throwIfAborted()
      const options = { abortSignal: controller.signal }
      return await take((await this.#sender.send(command as never, options)) as never)
    } catch (error) {
      if (signal?.aborted) throw signal.reason as Error
      return expect({ status: statusOf(error), error })
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', forward)
    }
  }
}

/**
 * Whether the request may or may not have been executed: there was no answer, a conflict with another request, too many
 * requests, or a fault of the server.
 */
export function isUnclear({ status, error }: Refusal): boolean {
  if (status !== 0) return status === 408 || status === 409 || status === 429 || status >= 500
  // Without a status the error comes from the network, or from the SDK itself, for example because credentials are missing.
  const name = error instanceof Error ? error.name : ''
  return name !== 'CredentialsProviderError' && name !== 'TypeError'
}

function statusOf(error: unknown): number {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } }
  return $metadata?.httpStatusCode ?? 0
}

/** Whether the object is missing. A missing bucket answers 404, too. */
function isMissingObject({ status, error }: Refusal): boolean {
  return status === 404 && !(error instanceof Error && error.name === 'NoSuchBucket')
}
