import { resolve } from 'node:path'
import type { Leaser, LeaserOptions } from '../leaser.ts'
import { RecordLeaser } from '../record-leaser.ts'
import { Terms } from '../terms.ts'
import { FileStore } from './file-store.ts'
import { meaninglessOption } from '../errors.ts'

/** The place of the lease, and how far contenders' clocks may differ. */
export interface FileLeaserOptions extends LeaserOptions {
  /**
   * A directory that every contender sees. It must exist, because a directory made here might hide a share that is not
   * mounted.
   */
  readonly dir: string
  /** The lease's file below `dir`; `lock.json` by default. */
  readonly path?: string | undefined
  /** How far contenders' clocks may differ, in milliseconds; 5,000 by default. */
  readonly clockSkew?: number | undefined
}

/**
 * Keeps a lease in a directory, for all processes that see the directory: on one machine, or on a share with an atomic
 * link(2), such as NFS.
 *
 * Every change makes a new numbered record beside the file, by link(2) of a complete, synced temporary file. The file itself
 * is for people and may lag behind.
 *
 * @example
 * const leaser = createFileLeaser({ dir: '/var/lib/app' })
 * await using held = await hold(leaser)
 */
export function createFileLeaser(options: FileLeaserOptions): Leaser {
  const { dir, path = 'lock.json' } = options
  if (typeof dir !== 'string' || dir === '') throw meaninglessOption('dir must be a directory')
  if (path === '' || path.endsWith('/')) {
    throw meaninglessOption(`path must name a file below ${dir}, and is "${path}"`)
  }
  return new RecordLeaser(
    'file',
    new FileStore(resolve(dir), path, options.logger ?? {}),
    new Terms(options, options.clockSkew ?? 5_000),
  )
}
