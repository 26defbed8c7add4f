import { readPlainFile } from '@howdah/lock'

/** The text of a small file, `null` if there is none. Throws as `readPlainFile` does otherwise. The limit is in bytes. */
export function readIfThere(path: string, limit?: number): string | null {
  try {
    return readPlainFile(path, { limit })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error
  }
}
