import { FileReplica } from './file/file-replica.ts'
import type { Replica } from './replica.ts'
import { S3Replica, type S3Connection } from './s3/s3-replica.ts'

/**
 * Opens the replica at a path: a directory, a `file://` URL, or `s3://bucket/path`.
 *
 * Throws `ERR_REPLICA_OPTION` for any other URL, and `ERR_REPLICA_PEER_MISSING` for S3 if `@aws-sdk/client-s3` is not
 * installed. The caller closes the replica.
 *
 * @example
 * await using replica = await openReplica('s3://backups/app')
 * await replica.restore({ output: '/srv/app.db' })
 */
export async function openReplica(
  path: string | URL,
  connection: S3Connection = {},
): Promise<Replica> {
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(String(path))?.[1]?.toLowerCase()
  if (scheme === 's3') return await S3Replica.fromUrl(path, connection)
  // `FileReplica.fromUrl` refuses any other scheme.
  return scheme === undefined ? new FileReplica(String(path)) : FileReplica.fromUrl(path)
}
