import { LtxError } from '@howdah/ltx'
import { ReplicaError } from './errors.ts'

/** Adds the path of the file to a decoder's error, unless it is there already. Returns any other error unchanged. */
export function inFile(error: unknown, path: string): unknown {
  if (!(error instanceof LtxError)) return error
  return new ReplicaError('ERR_REPLICA_DAMAGED', `${path} is damaged: ${error.message}`, {
    path,
    cause: error,
  })
}
