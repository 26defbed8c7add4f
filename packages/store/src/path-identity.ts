import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { ioError } from './errors.ts'

/**
 * The identity of the segment for a file or directory: the first 48 bits of the SHA-256 of the real path.
 *
 * The store's range must go up to `maxIdentity`. The path must exist; throws `ERR_STORE_IO`.
 */
export function pathIdentity(path: string): number {
  let real: string
  try {
    real = realpathSync.native(path)
  } catch (error) {
    throw ioError(error, { step: 'tell the identity of a path', path })
  }
  return createHash('sha256').update(real).digest().readUIntBE(0, 6)
}
