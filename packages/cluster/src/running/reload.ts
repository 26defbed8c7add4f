import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { reloadFailed } from '../errors.ts'

/** How long to wait for a running server. */
export interface PatienceOptions {
  /** In ms; 60,000 by default. */
  timeout?: number | undefined
  /** Ends the wait; the call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** In ms. */
export const defaultPatience = 60_000

/**
 * Makes the server read its configuration files again, and waits until the postmaster has read them and has told all its
 * processes to do so.
 *
 * Throws `ERR_CLUSTER_RELOAD_FAILED` if the server ignores the files because of errors in them.
 */
export async function reloadConfiguration(
  dataDir: string,
  client: pg.Client,
  { timeout = defaultPatience, signal }: PatienceOptions = {},
): Promise<void> {
  signal?.throwIfAborted()
  await refuseErrors(dataDir, client)
  const deadline = performance.now() + timeout
  const loadTime = async () =>
    (await client.query<{ at: string }>('SELECT pg_catalog.pg_conf_load_time()::text AS at'))
      .rows[0]?.at
  const before = await loadTime()
  await client.query('SELECT pg_catalog.pg_reload_conf()')
  // The postmaster tells our own backend after it has read the files.
  while ((await loadTime()) === before) {
    signal?.throwIfAborted()
    if (performance.now() > deadline) {
      await refuseErrors(dataDir, client)
      throw reloadFailed(dataDir, `nothing has happened within ${timeout} ms`)
    }
    await sleep(2)
  }
}

/**
 * Throws if the files have errors because of which the server ignores them all. A value that it cannot apply, or cannot
 * apply yet, is not such an error.
 */
async function refuseErrors(dataDir: string, client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ file: string; line: number; error: string }>(
    `SELECT sourcefile AS file, sourceline AS line, error FROM pg_catalog.pg_file_settings
      WHERE error <> 'setting could not be applied'
        AND error NOT LIKE 'parameter "%" cannot be changed without restarting the server'
      ORDER BY seqno`,
  )
  if (rows.length === 0) return
  const errors = rows.map(({ file, line, error }) => `${file}:${line}: ${error}`)
  throw reloadFailed(dataDir, errors.join('\n'))
}
