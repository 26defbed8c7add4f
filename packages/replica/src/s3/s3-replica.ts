import { ReplicaError } from '../errors.ts'
import { withDefaults, type Modes } from '../file/modes.ts'
import { Replica } from '../replica.ts'
import { S3Bucket, type S3Library } from './s3-bucket.ts'
import type { S3Sender } from './s3-sender.ts'
import { S3Storage } from './s3-storage.ts'
import { parseS3Url } from './s3-url.ts'

const smallestPart = 5 * 1_048_576
const usualPart = 16 * 1_048_576

/** How to connect to a bucket. Missing options come from the SDK's own configuration, such as `AWS_ENDPOINT_URL`. */
export interface S3Connection {
  /** The caller's `S3Client`, which the caller also destroys. By default the replica makes one. */
  readonly client?: S3Sender | undefined
  /** The endpoint if it is not AWS's. Used only if the replica makes the client. */
  readonly endpoint?: string | undefined
  /** Used only if the replica makes the client. */
  readonly region?: string | undefined
  /**
   * Puts the bucket into the path instead of the host name; true by default if an endpoint is given. Used only if the
   * replica makes the client.
   */
  readonly forcePathStyle?: boolean | undefined
  /**
   * The size of the parts of an upload, in bytes: at least 5 MiB; 16 MiB by default. A file may have at most 10,000 parts.
   */
  readonly partSize?: number | undefined
}

/** The place of a replica in S3, and how to connect to it. */
export interface S3ReplicaOptions extends S3Connection {
  readonly bucket: string
  /** The prefix of the replica; the bucket's root by default. */
  readonly path?: string | undefined
  /** The mode of restored databases; 0600 by default. */
  readonly fileMode?: number | undefined
}

/**
 * A replica in S3, or in a store with the same protocol.
 *
 * It writes LTX files to `<path>/<level as four hex digits>/`, like litestream. Its listings are as consistent as the store's
 * own. A read that breaks off continues at the same byte.
 *
 * @example
 * await using replica = await S3Replica.open({ bucket: 'backups', path: 'app' })
 * await replica.restore({ output: '/srv/app.db' })
 */
export class S3Replica extends Replica {
  readonly #client: { destroy(): void } | null

  /** Opens a replica without connecting. Throws `ERR_REPLICA_PEER_MISSING` if `@aws-sdk/client-s3` is not installed. */
  static async open(options: S3ReplicaOptions): Promise<S3Replica> {
    const { bucket, path = '', partSize = usualPart } = options
    if (bucket === '')
      throw new ReplicaError(
        'ERR_REPLICA_OPTION',
        'the bucket has no name; give the name of the bucket',
      )
    if (!Number.isSafeInteger(partSize) || partSize < smallestPart) {
      throw new ReplicaError(
        'ERR_REPLICA_OPTION',
        `parts of ${partSize} bytes are smaller than S3 accepts; give at least ${smallestPart}`,
      )
    }
    const library = await loadLibrary()
    const own = options.client === undefined ? makeClient(library, options) : null
    const sender = options.client ?? (own as S3Sender)
    const prefix = path.replaceAll(/^\/+|\/+$/g, '')
    const storage = new S3Storage(new S3Bucket(library, sender, bucket), prefix, partSize)
    const modes = options.fileMode === undefined ? {} : { fileMode: options.fileMode }
    return new S3Replica(storage, withDefaults(modes), own)
  }

  /**
   * The replica at an `s3://bucket/path` URL, whose percent-encoding is decoded. Throws `ERR_REPLICA_OPTION` for any other
   * URL.
   */
  static async fromUrl(url: string | URL, options: S3Connection = {}): Promise<S3Replica> {
    return await S3Replica.open({ ...options, ...parseS3Url(url) })
  }

  private constructor(storage: S3Storage, modes: Modes, client: { destroy(): void } | null) {
    super(storage, modes)
    this.#client = client
  }

  /** Closes the connections, unless the caller gave the client. */
  override async close(): Promise<void> {
    this.#client?.destroy()
  }
}

async function loadLibrary(): Promise<S3Library> {
  try {
    return await import('@aws-sdk/client-s3')
  } catch (cause) {
    throw new ReplicaError(
      'ERR_REPLICA_PEER_MISSING',
      'replicas in S3 need a library that is not installed; run: npm install @aws-sdk/client-s3',
      { cause },
    )
  }
}

function makeClient(library: S3Library, options: S3Connection): S3Sender & { destroy(): void } {
  const { endpoint, region } = options
  const { AWS_ENDPOINT_URL_S3: ofS3, AWS_ENDPOINT_URL: ofAll } = process.env
  const forcePathStyle = options.forcePathStyle ?? (endpoint ?? ofS3 ?? ofAll) !== undefined
  return new library.S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    forcePathStyle,
    followRegionRedirects: true,
    // Without these timeouts, a silent connection would be waited for forever.
    requestHandler: { connectionTimeout: 10_000, socketTimeout: 60_000 },
    // Not every store supports the newer checksums. LTX files have their own checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
}
