import type { Version } from './version.ts'

/** The one with the highest version, the first of equals; `null` if there is none. */
export function highest<T extends { readonly version: Version }>(
  candidates: Iterable<T>,
): T | null {
  let found: T | null = null
  for (const candidate of candidates) {
    if (found === null || candidate.version.compare(found.version) > 0) found = candidate
  }
  return found
}
