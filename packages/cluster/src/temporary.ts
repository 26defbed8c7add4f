import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Cluster, type ClusterOptions } from './cluster.ts'
import type { RunOptions } from './join.ts'
import type { Session } from './session.ts'
import { sweep } from './sweep.ts'
import { temporaryPlace } from './temporary-place.ts'

/** How a temporary cluster is run. */
export type TemporaryOptions = ClusterOptions &
  Omit<RunOptions, 'throwAway' | 'atEnd' | 'ifExists' | 'keep'>

/**
 * Runs a new cluster in a place of howdah's own choice, in memory where there is room; it is gone when its last user has
 * left, however that one ended. Others join it by its `dataDir`.
 *
 * @example
 * await using db = await temporary({ database: 'test' })
 */
export async function temporary(options: TemporaryOptions = {}): Promise<Session> {
  const place = await temporaryPlace()
  const cluster = new Cluster(join(place, randomBytes(6).toString('hex')), options)
  const session = await cluster.run({ ...options, throwAway: true })
  // What others who were killed have left. Nobody waits for it, and whoever comes next does what is not done.
  void sweep(place).catch(() => undefined)
  return session
}
