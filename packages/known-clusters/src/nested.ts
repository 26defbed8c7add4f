import { isAbsolute } from 'node:path'
import { ClusterError } from '@howdah/data-directory'

/** The directory that conflicts with a path, and on which side of it the path lies. */
export interface Nesting {
  readonly owner: string
  readonly pid: number | null
  readonly side: 'in' | 'around'
  /** The kind of the directory in the way; `'cluster'` by default. */
  readonly kind?: 'cluster' | 'backups' | undefined
}

const kinds = {
  cluster: 'the data directory of a cluster',
  backups: 'which holds the backups of a cluster',
} as const

/** The path lies in or around a directory in which only a cluster's server may write. Nothing was made there. */
export function nested(
  path: string,
  { owner, pid, side, kind = 'cluster' }: Nesting,
): ClusterError {
  const who = pid === null ? '' : ` (pid ${pid})`
  const whose = isAbsolute(owner) ? `${owner}, ${kinds[kind]}` : `what ${owner} writes`
  return new ClusterError(
    'ERR_CLUSTER_NESTED',
    path,
    `cannot use ${path}: it lies ${side} ${whose}${who}; choose a directory apart from that`,
    { owner, pid },
  )
}
