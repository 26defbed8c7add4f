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
    spareCertificates(),
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

/**
 * Takes away the file of more certificates: Node reads all of it at each start, which takes longer than the rest of the start,
 * and the tests start thousands. Those that ask npm's own registry find its name in `HOWDAH_TEST_CERTIFICATES`. Gives what
 * undoes it.
 */
function spareCertificates(): () => void {
  const file = process.env['NODE_EXTRA_CA_CERTS']
  if (file === undefined) return () => undefined
  process.env['HOWDAH_TEST_CERTIFICATES'] = file
  delete process.env['NODE_EXTRA_CA_CERTS']
  return () => {
    process.env['NODE_EXTRA_CA_CERTS'] = file
    delete process.env['HOWDAH_TEST_CERTIFICATES']
  }
}
