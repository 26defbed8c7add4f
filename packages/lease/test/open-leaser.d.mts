import type { Leaser } from '@howdah/lease'

/** Where a lease is, as plain data that another process opens too. */
export interface Place {
  readonly backend: 'file' | 'naive' | 's3' | 'etcd' | 'postgres'
  readonly ttl: number
  readonly maxTtl?: number
  readonly clockSkew?: number
  /** How far the clock of whoever opens it is wrong, in milliseconds. */
  readonly clockOffset?: number
  readonly [option: string]: unknown
}

export function openLeaser(place: Place): Promise<Leaser & Partial<AsyncDisposable>>
