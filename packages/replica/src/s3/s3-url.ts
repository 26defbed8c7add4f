import { ReplicaError } from '../errors.ts'

/** The bucket and the path of an `s3://bucket/path` URL. Throws `ERR_REPLICA_OPTION` for any other URL. */
export function parseS3Url(url: string | URL): { bucket: string; path: string } {
  const text = String(url)
  const refuse = (why: string): ReplicaError =>
    new ReplicaError(
      'ERR_REPLICA_OPTION',
      `${text} is not a URL of a replica in S3: ${why}; write it as s3://bucket/path`,
    )
  const match = /^s3:\/\/([^/?#]*)([^?#]*)(.*)$/is.exec(text)
  if (match === null) throw refuse('it does not start with s3://')
  const [, bucket = '', encoded = '', rest = ''] = match
  if (bucket === '') throw refuse('it names no bucket')
  if (/[@:\s]/.test(bucket)) {
    throw refuse('credentials, hosts and ports go into AWS_PROFILE and AWS_ENDPOINT_URL')
  }
  if (rest !== '')
    throw refuse('write ? as %3F and # as %23, and give the endpoint as AWS_ENDPOINT_URL')
  let path
  try {
    path = decodeURIComponent(encoded)
  } catch {
    throw refuse('write % as %25')
  }
  const names = path.replaceAll(/^\/+|\/+$/g, '').split('/')
  if (names.length > 1 && names.includes('')) throw refuse('it has two slashes in a row')
  if (names.includes('.') || names.includes('..')) throw refuse('it has . or .. in its path')
  return { bucket, path: names.join('/') }
}
