import { readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, normalize } from 'node:path'
import { RegistryError } from '../errors.ts'

/** How many symbolic links may follow each other, as on Linux: path_resolution(7). */
const mostLinks = 40

/**
 * The form of a path that is compared: absolute, without `.`, trailing or double slashes, and with symbolic links resolved as
 * far as the path exists. Links to targets that do not exist yet are resolved, too.
 *
 * Throws `ERR_REGISTRY_PATH` if the path is not absolute, contains a `..`, or cannot be looked at.
 */
export function canonicalPath(path: string): string {
  const refuse = (why: string, details: { cause?: unknown } = {}) =>
    new RegistryError(
      'ERR_REGISTRY_PATH',
      `cannot use ${JSON.stringify(path)} as a path: ${why}`,
      details,
    )
  if (typeof path !== 'string' || !isAbsolute(path) || path.includes('\0'))
    throw refuse('it is not absolute; give an absolute path')
  if (path.split('/').includes('..')) throw refuse("it has a '..' in it; resolve that first")
  try {
    const normalised = normalize(path)
    return resolveLinks(
      normalised.length > 1 ? normalised.replace(/\/$/, '') : normalised,
      mostLinks,
    )
  } catch (cause) {
    throw refuse('its symbolic links cannot be resolved; see the cause', { cause })
  }
}

function resolveLinks(path: string, links: number): string {
  try {
    return realpathSync.native(path)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  const parent = resolveLinks(dirname(path), links)
  const target = linkTarget(path)
  if (target === null) return join(parent, basename(path))
  if (links === 0) throw new Error(`there are more than ${mostLinks} symbolic links`)
  return resolveLinks(isAbsolute(target) ? normalize(target) : join(parent, target), links - 1)
}

/** The target of a symbolic link; `null` if the path is not one. */
function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch {
    return null
  }
}

function isMissing(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code))
  )
}
