import { statSync } from 'node:fs'
import type { DataDirectory } from '../data-directory.ts'
import { notPermitted } from '../errors.ts'

/**
 * Throws `ERR_CLUSTER_PERMISSION` if the cluster's files are hard links, as `cp -al` makes them. Then they belong to another
 * directory, too, and two servers on two directories would write the same files.
 */
export function refuseHardLinks(directory: DataDirectory): void {
  const control = directory.file('global', 'pg_control')
  const nlink = linksOf(control)
  if (nlink <= 1) return
  throw notPermitted(
    directory.path,
    control,
    `${control} has ${nlink} hard links, so the files of this cluster are those of another directory, too; ` +
      'no server is started on such files: make a copy of the directory with cp -a, or with howdah clone, and use that',
  )
}

function linksOf(path: string): number {
  try {
    return statSync(path).nlink
  } catch {
    return 0 // The server says what is missing.
  }
}
