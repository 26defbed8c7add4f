import type { ClusterError } from '../cluster-error.ts'
import { unknownStatus } from '../errors.ts'

/** The error for a file that cannot be read, so that nothing is known about its cluster. */
export function unreadable(dataDir: string, path: string, cause: unknown): ClusterError {
  const { code = '', message } = cause as NodeJS.ErrnoException
  const why = code === 'ERR_DURABLE_NOT_PLAIN' ? message : `cannot read ${path} (${code})`
  return unknownStatus(dataDir, why, { cause })
}
