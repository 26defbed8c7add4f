import { currentProcess } from '@howdah/lock'
import type { ServerRecord } from './server-record.ts'

/** Whether the record's process is one of this kernel and this pid namespace, alive or dead. */
export function isOfHere(record: ServerRecord | null): boolean {
  if (record === null) return false
  const { bootId, pidNamespace } = currentProcess()
  return record.process.bootId === bootId && record.process.pidNamespace === pidNamespace
}
