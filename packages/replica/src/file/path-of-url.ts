import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ReplicaError } from '../errors.ts'

/** The path of a `file://` URL. Throws `ERR_REPLICA_OPTION` for any other URL. */
export function pathOfUrl(url: string | URL): string {
  const text = String(url)
  const refuse = (why: string, cause?: unknown): ReplicaError =>
    new ReplicaError(
      'ERR_REPLICA_OPTION',
      `${text} is not a URL of a replica on disk: ${why}; give file:///path/to/replica`,
      { cause },
    )
  if (!/^file:\/\//i.test(text)) throw refuse('it does not start with file://')
  if (!/^file:\/\/[^/?#]*\//i.test(text)) throw refuse('it has no path')
  let path
  let parsed
  try {
    parsed = new URL(text)
    path = fileURLToPath(parsed)
  } catch (cause) {
    throw refuse('it names a host, or is malformed', cause)
  }
  if (parsed.search !== '' || parsed.hash !== '') throw refuse('write ? as %3F and # as %23')
  return path
}

/** Makes a path absolute. Throws `ENOENT` for a relative path if the current directory was deleted. */
export function absolutePath(path: string): string {
  try {
    return resolve(path)
  } catch (cause) {
    throw new ReplicaError(
      'ENOENT',
      `${path} is relative, and the current directory was deleted; change to another directory, or give the absolute path`,
      { path, cause },
    )
  }
}
