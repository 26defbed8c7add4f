import { readPlainFile } from '@howdah/durable'

/**
 * The text of a small file that anybody may have put there; `null` if it is missing, cannot be read, is longer than
 * `limit` bytes, 64 KiB by default, or is not a regular file. Never waits for a FIFO.
 */
export function readSmallFile(path: string, limit = 65_536): string | null {
  try {
    return readPlainFile(path, { limit })
  } catch {
    return null
  }
}

/** The path that is the whole content of a small file, as git, jj and Mercurial write it; `null` if there is none. */
export function readPathFile(path: string, prefix = ''): string | null {
  const text = readSmallFile(path)
  if (text?.startsWith(prefix) !== true) return null
  const found = text.slice(prefix.length).replace(/[\r\n]+$/, '')
  return found === '' || /[\0\r\n]/.test(found) ? null : found
}
