import type { Version } from './version.ts'

/** The candidate with the highest version, and the first one among equals; `null` if there is none. */
export function highest<T extends { readonly version: Version }>(
  candidates: Iterable<T>,
): T | null {
  let found: T | null = null
  for (const candidate of candidates) {
    if (found === null || candidate.version.compare(found.version) > 0) found = candidate
  }
  return found
}
