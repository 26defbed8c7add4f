import { statSync } from 'node:fs'
import type { DataDirectory } from '../data-directory.ts'
import { startFailed } from '../errors.ts'

/** The directories that every cluster has, and that howdah locks. */
const parts = ['base', 'global'] as const

/** Throws `ERR_CLUSTER_START_FAILED` if a directory that every cluster needs is missing, because no server could start. */
export function requireWhole(directory: DataDirectory): void {
  const missing = parts.find((name) => !isDirectory(directory.file(name)))
  if (missing === undefined) return
  throw startFailed(
    directory.path,
    `the cluster has no directory ${missing}, so a part of it was removed or never copied; ` +
      'restore it from a backup, or copy the whole directory again',
    '',
  )
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
