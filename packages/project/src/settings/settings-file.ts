import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ProjectError } from '../errors.ts'
import { readSmallFile } from '../read-small-file.ts'
import { isTrusted } from '../trust.ts'

/** The key of the settings in `package.json`. */
export const packageKey = 'howdah'

/**
 * The file with the settings in a directory: `howdah.json`, or a `package.json` with the key `howdah`; `null` if there is none
 * that counts. One that belongs to another user does not count, nor does `howdah.json` of a data directory, which is howdah's
 * own mark. Throws {@link ProjectError} if there are both.
 */
export function settingsFileIn(directory: string, uid: number): string | null {
  const path = join(directory, 'howdah.json')
  const isThere = isTrusted(path, uid) && !existsSync(join(directory, 'PG_VERSION'))
  const packageFile = packageFileIn(directory, uid)
  if (isThere && packageFile !== null)
    throw new ProjectError(path, `says the same as "${packageKey}" in ${packageFile}; keep one`)
  return isThere ? path : packageFile
}

function packageFileIn(directory: string, uid: number): string | null {
  const path = join(directory, 'package.json')
  if (!existsSync(path) || !isTrusted(path, uid)) return null
  const text = readSmallFile(path, 1_048_576) ?? ''
  if (!text.includes(`"${packageKey}"`)) return null
  try {
    const content: unknown = JSON.parse(text)
    const isObject = typeof content === 'object' && content !== null
    return isObject && Object.hasOwn(content, packageKey) ? path : null
  } catch {
    // It is somebody else's to report.
    return null
  }
}
