import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A package of its own that a test may change: programs and lists copied, the rest (50 MB) linked.
 *
 * `version` replaces the package's version.
 */
export function packageCopy(original: string, directory: string, version?: string): string {
  mkdirSync(join(directory, 'native'), { recursive: true })
  for (const name of ['bin', 'pg-symlinks.json']) {
    cpSync(join(original, 'native', name), join(directory, 'native', name), { recursive: true })
  }
  for (const name of ['lib', 'share']) {
    symlinkSync(join(original, 'native', name), join(directory, 'native', name))
  }
  const text = readFileSync(join(original, 'package.json'), 'utf8')
  const content = JSON.parse(text) as Record<string, unknown>
  writeFileSync(
    join(directory, 'package.json'),
    JSON.stringify({ ...content, ...(version && { version }) }),
  )
  return directory
}
