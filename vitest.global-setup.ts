import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * One cache for the PostgreSQLs of a whole test run, so that nobody's own is touched, and each is unpacked once; and one
 * place for state, so that no cluster of a test is listed among anybody's own.
 *
 * Every project of the workspace comes through here, and the first one makes them.
 */
export default function setup(): () => void {
  const removals = [
    // The user as whom servers run gets through, when we are root.
    provide('HOWDAH_CACHE_DIR', 'howdah-test-cache-', 0o755),
    provide('HOWDAH_STATE_DIR', 'howdah-test-state-', 0o700),
  ]
  return () => {
    for (const remove of removals) remove()
  }
}

/** Makes a directory and names it in a variable, unless that is set. Gives what undoes it. */
function provide(variable: string, prefix: string, mode: number): () => void {
  if (process.env[variable] !== undefined) return () => undefined
  const path = mkdtempSync(join(tmpdir(), prefix))
  chmodSync(path, mode)
  process.env[variable] = path
  return () => {
    rmSync(path, { recursive: true, force: true })
    delete process.env[variable]
  }
}
