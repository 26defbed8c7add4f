import { statSync } from 'node:fs'
import { notPermitted } from '@howdah/data-directory'

/**
 * The owner of a cluster or a backup. Root copies only that user's files, because the user may have put a link there to a
 * file that only root can read. `null` if we are not root, because then we cannot read such a file.
 */
export function sourceOwner(path: string): number | null {
  return process.geteuid?.() === 0 ? statSync(path).uid : null
}

/** Throws `ERR_CLUSTER_PERMISSION` if a file belongs to another user than {@link sourceOwner} has given. */
export function requireOwner(path: string, uid: number, of: number | null): void {
  if (of === null || uid === of) return
  const why = `${path} belongs to another user (uid ${uid}) than what it lies in (uid ${of}), and was not copied`
  throw notPermitted(path, path, `${why}; give it to that user, or remove it`)
}
