import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * One cache for the PostgreSQLs of a whole test run, so that nobody's own is touched, and each is unpacked once.
 *
 * Every project of the workspace comes through here, and the first one makes it.
 */
export default function setup(): (() => void) | undefined {
  if (process.env['HOWDAH_CACHE_DIR'] !== undefined) return undefined
  const cache = mkdtempSync(join(tmpdir(), 'howdah-test-cache-'))
  // The user as whom servers run gets through, when we are root.
  chmodSync(cache, 0o755)
  process.env['HOWDAH_CACHE_DIR'] = cache
  return () => {
    rmSync(cache, { recursive: true, force: true })
    delete process.env['HOWDAH_CACHE_DIR']
  }
}
