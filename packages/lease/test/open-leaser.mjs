import { createFileLeaser } from '@howdah/lease'
import { createEtcdLeaser } from '@howdah/lease/etcd'
import { createPostgresLeaser } from '@howdah/lease/postgres'
import { createS3Leaser } from '@howdah/lease/s3'
import { createNaiveLeaser } from './naive-leaser.mjs'

const makers = {
  file: createFileLeaser,
  naive: createNaiveLeaser,
  etcd: createEtcdLeaser,
  // One pool a process: each leaser's own would be too many connections.
  postgres: async ({ connectionString, ...options }) => {
    const { default: pg } = await import('pg')
    clients[connectionString] ??= new pg.Pool({ connectionString, max: 4, allowExitOnIdle: true })
    clients[connectionString].on('error', () => {})
    return createPostgresLeaser({ pool: clients[connectionString], ...options })
  },
  s3: async (options) => {
    const { S3Client } = await import('@aws-sdk/client-s3')
    clients[options.endpoint] ??= new S3Client({
      endpoint: options.endpoint,
      region: options.region ?? 'us-east-1',
      forcePathStyle: true,
      ...(options.credentials && { credentials: options.credentials }),
      requestChecksumCalculation: 'WHEN_REQUIRED',
    })
    return createS3Leaser({ client: clients[options.endpoint], ...options })
  },
}
const clients = {}

/** Opens the leaser of a place; its clock goes wrong by `place.clockOffset` ms, or by what `offset` says. */
export async function openLeaser(
  { backend, clockOffset = 0, ...options },
  offset = () => clockOffset,
) {
  return makers[backend]({ ...options, clock: () => Date.now() + offset() })
}
