import { fstatSync, statSync } from 'node:fs'
import type { Lock } from '@howdah/lock'

/** Whether a lock's path still leads to what is locked: else the subject was removed, and maybe made anew. */
export function isCurrent(lock: Lock): boolean {
  const held = fstatSync(lock.fd, { bigint: true })
  const now = statSync(lock.path, { bigint: true, throwIfNoEntry: false })
  return now !== undefined && now.ino === held.ino && now.dev === held.dev
}
