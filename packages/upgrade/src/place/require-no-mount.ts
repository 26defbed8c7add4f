import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { cannotExchange } from '../errors.ts'
import type { UpgradePlace } from './upgrade-place.ts'

/** Throws `ERR_UPGRADE_UNSUPPORTED` for a mount point, as far as that shows in advance. */
export function requireNoMount({ dataDir }: UpgradePlace): void {
  if (statSync(dataDir).dev === statSync(dirname(dataDir)).dev) return
  throw cannotExchange(dataDir, Object.assign(new Error('it is a mount point'), { code: 'EBUSY' }))
}
