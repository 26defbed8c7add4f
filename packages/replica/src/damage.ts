import { LtxError } from '@howdah/ltx'
import { ReplicaError } from './errors.ts'

/** Names the file in which a decoder met damage, once; passes any other error on as it is. */
export function inFile(error: unknown, path: string): unknown {
  if (!(error instanceof LtxError)) return error
  return new ReplicaError('ERR_REPLICA_DAMAGED', `${path} is damaged: ${error.message}`, {
    path,
    cause: error,
  })
}
