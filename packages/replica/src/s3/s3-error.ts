import { ReplicaError, type ReplicaErrorCode } from '../errors.ts'

const refused = new Set([401, 403])

/** Sends a request to S3. Wraps an error once, with the object's URL and the remedy. */
export async function s3<T>(doing: string, url: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    if (cause instanceof ReplicaError) throw cause
    const [code, why] = explain(cause)
    throw new ReplicaError(code, `cannot ${doing} ${url}: ${why}`, { path: url, cause })
  }
}

/** Like `s3`, but returns `null` if there is no such object. A missing bucket is still an error. */
export async function s3IfThere<T>(
  doing: string,
  url: string,
  run: () => Promise<T>,
): Promise<T | null> {
  try {
    return await s3(doing, url, run)
  } catch (error) {
    const isMissing = error instanceof ReplicaError && error.code === 'ENOENT'
    if (isMissing && nameOf(error.cause) !== 'NoSuchBucket') return null
    throw error
  }
}

/** The HTTP status in an error of the library; `undefined` if S3 did not answer. */
export function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
}

/** The name of S3's error. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}

function explain(error: unknown): [ReplicaErrorCode, string] {
  const [status, name] = [statusOf(error), nameOf(error)]
  const said = error instanceof Error ? error.message : String(error)
  if (name === 'NoSuchBucket') {
    return ['ENOENT', 'there is no such bucket; check its name, and AWS_ENDPOINT_URL']
  }
  if (status === 404) return ['ENOENT', 'it does not exist']
  if (name === 'CredentialsProviderError') {
    return [
      'ERR_REPLICA_PERMISSION',
      'there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
    ]
  }
  if (status !== undefined && refused.has(status)) {
    const named = name === '' || name === said ? said : `${name}: ${said}`
    return [
      'ERR_REPLICA_PERMISSION',
      `${named}; check the credentials, and what they may do with the bucket`,
    ]
  }
  if (/region is missing/i.test(said)) {
    return ['ERR_REPLICA_OPTION', 'no region is set; set AWS_REGION, to us-east-1 if it has none']
  }
  if (status === 301 || name === 'PermanentRedirect') {
    return ['ERR_REPLICA_OPTION', 'the bucket is in another region; set AWS_REGION to that']
  }
  if (status === undefined) {
    return ['ERR_REPLICA_IO', `${said || name}; check the network, and AWS_ENDPOINT_URL`]
  }
  return ['ERR_REPLICA_IO', `${name}: ${said} (status ${status})`]
}
