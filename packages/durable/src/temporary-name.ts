import { randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'

/** How long a file's name may be, in bytes (NAME_MAX of Linux's and macOS's file systems). */
const longestName = 255

/**
 * A path for a file's temporary copy, in the same directory: `.<name>.<16 hex digits>.tmp`.
 *
 * The digits are random, so nobody else uses the name. A name that would be too long is cut.
 */
export function temporaryName(path: string): string {
  const ending = `.${randomBytes(8).toString('hex')}.tmp`
  return join(dirname(path), `.${cut(basename(path), longestName - 1 - ending.length)}${ending}`)
}

/** Whether a name was made by {@link temporaryName}; with `of`, whether it was made for the file of that name. */
export function isTemporaryName(name: string, of?: string): boolean {
  if (!/^\..*\.[0-9a-f]{16}\.tmp$/s.test(name)) return false
  return of === undefined || name.slice(1, -21) === cut(of, longestName - 22)
}

/** The longest beginning of a text, in whole characters, that fits into so many bytes. */
function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text
  let end = ''
  for (const character of text) {
    if (Buffer.byteLength(end + character) > bytes) break
    end += character
  }
  return end
}
