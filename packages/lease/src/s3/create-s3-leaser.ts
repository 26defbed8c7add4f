import type { Leaser, LeaserOptions } from '../leaser.ts'
import { RecordLeaser } from '../record-leaser.ts'
import { Terms } from '../terms.ts'
import { S3Object, type S3Library } from './s3-object.ts'
import type { S3Sender } from './s3-sender.ts'
import { S3Store } from './s3-store.ts'
import { meaninglessOption, peerMissing } from '../errors.ts'

/** The place of the lease, and how to reach the bucket. */
export interface S3LeaserOptions extends LeaserOptions {
  readonly bucket: string
  /** The prefix of `lock.json`; the bucket's root by default. */
  readonly path?: string | undefined
  /** An `S3Client`, which the caller destroys. By default one is made with the SDK's own configuration. */
  readonly client?: S3Sender | undefined
  /** For a client that is made here: the endpoint, if it is not AWS. */
  readonly endpoint?: string | undefined
  /** For a client that is made here: the region. */
  readonly region?: string | undefined
  /**
   * For a client that is made here: whether the bucket is in the path instead of the host name; by default if there is an
   * endpoint.
   */
  readonly forcePathStyle?: boolean | undefined
  /** How far contenders' clocks may differ, in milliseconds; 5,000 by default. */
  readonly clockSkew?: number | undefined
  /**
   * Whether the first use checks that the store refuses stale conditions; true by default. Set it to `false` only for a store
   * that is known to do so, such as AWS's own; that saves eight requests and the permission to delete.
   */
  readonly proveConditions?: boolean | undefined
  /** How long one request may take, in milliseconds; a sixth of `ttl`, at most 5,000, by default. */
  readonly requestTimeout?: number | undefined
}

/**
 * Keeps a lease as an object `<path>/lock.json`, which is changed by conditional PUTs.
 *
 * The first use checks, with a probe object beside it, that the store refuses stale conditions, and rejects with
 * `ERR_LEASE_STORE_UNSAFE` if it does not. Rejects with `ERR_LEASE_PEER_MISSING` without `@aws-sdk/client-s3`.
 *
 * @example
 * const leaser = await createS3Leaser({ bucket: 'my-bucket', path: 'jobs/nightly' })
 * await runWithLease(leaser, async (signal) => { … })
 */
export async function createS3Leaser(options: S3LeaserOptions): Promise<Leaser> {
  const { bucket, path = '', requestTimeout } = options
  if (typeof bucket !== 'string' || bucket === '') throw meaninglessOption('bucket must be named')
  const terms = new Terms(options, options.clockSkew ?? 5_000)
  const timeout = requestTimeout ?? Math.min(5_000, terms.ttl / 6)
  if (!(timeout > 0)) throw meaninglessOption(`requestTimeout must be positive, and is ${timeout}`)
  const library = await loadLibrary()
  const sender = options.client ?? makeClient(library, options)
  const prefix = path.replace(/^\/+|\/+$/g, '')
  const key = prefix === '' ? 'lock.json' : `${prefix}/lock.json`
  const object = (name: string) => new S3Object(library, sender, bucket, name, timeout)
  return new RecordLeaser(
    's3',
    new S3Store(object, key, options.proveConditions ?? true, terms.logger),
    terms,
  )
}

async function loadLibrary(): Promise<S3Library> {
  try {
    return await import('@aws-sdk/client-s3')
  } catch (error) {
    throw peerMissing('S3', '@aws-sdk/client-s3', error)
  }
}

function makeClient(library: S3Library, options: S3LeaserOptions): S3Sender {
  const { endpoint, region } = options
  const forcePathStyle = options.forcePathStyle ?? endpoint !== undefined
  return new library.S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    forcePathStyle,
    // Some stores do not support the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
}
