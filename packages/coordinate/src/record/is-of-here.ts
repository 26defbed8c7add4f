import { currentProcess } from '@howdah/lock'
import type { ServerRecord } from './server-record.ts'

/** Whether the recorded process, alive or dead, belongs to this kernel and this pid namespace. */
export function isOfHere(record: ServerRecord | null): boolean {
  if (record === null) return false
  const { bootId, pidNamespace } = currentProcess()
  return record.process.bootId === bootId && record.process.pidNamespace === pidNamespace
}
