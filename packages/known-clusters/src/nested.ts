import { isAbsolute } from 'node:path'
import { ClusterError } from '@howdah/data-directory'

/** What is in the way of a path, and on which side of it the path lies. */
export interface Nesting {
  readonly owner: string
  readonly pid: number | null
  readonly side: 'in' | 'around'
  /** What is in the way; a cluster unless told otherwise. */
  readonly kind?: 'cluster' | 'backups' | undefined
}

const kinds = {
  cluster: 'the data directory of a cluster',
  backups: 'which holds the backups of a cluster',
} as const

/** The path lies where only a cluster's server may write, or around that; nothing was made there. */
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
