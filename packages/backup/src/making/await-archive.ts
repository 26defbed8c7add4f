import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { archiveFailed } from '../errors.ts'

/** The files to wait for. */
export interface AwaitedArchive {
  readonly dataDir: string
  readonly wal: string
  /** The names of the WAL files that must be archived. */
  readonly files: readonly string[]
  readonly walSegmentSize: number
  /** The server's log since the backup began; empty if it is unknown. */
  readonly log: () => Promise<string>
  /** Connects to the server and ends the connection, which makes the server look after its processes. */
  readonly wake: () => Promise<void>
  readonly onFile: () => void
  readonly signal?: AbortSignal | undefined
}

/** How many times in a row the archiver tries a file before it pauses for a minute. Source: `pgarch.c`. */
const tries = 3

/**
 * How often the server is woken, in ms. After a crash it may start the archiver no sooner than 10 s after the archiver's last
 * start, and then looks only once a minute, or when somebody connects. Source: `pgarch.c` and `postmaster.c`.
 */
const waking = 1_000

/**
 * Waits until the server has archived the given WAL files. It looks only at the files.
 *
 * Throws `ERR_CLUSTER_ARCHIVE_FAILED` if the server has failed so often that it pauses.
 */
export async function awaitArchive(client: pg.Client, awaited: AwaitedArchive): Promise<void> {
  const failedBefore = await failures(client)
  const missing = new Set(awaited.files)
  let woken = performance.now()
  for (let pause = 5; ; pause = Math.min(2 * pause, 100)) {
    awaited.signal?.throwIfAborted()
    for (const name of await readdir(awaited.wal)) {
      if (missing.delete(name)) awaited.onFile()
    }
    const [next] = missing
    if (next === undefined) break
    const { count, file } = await failures(client)
    if (count >= failedBefore.count + tries) {
      throw archiveFailed(awaited.dataDir, file ?? next, await reason(awaited))
    }
    if (performance.now() - woken > waking) {
      // It may have no connection left for us.
      await awaited.wake().catch(() => undefined)
      woken = performance.now()
    }
    await sleep(pause, undefined, { signal: awaited.signal })
  }
  for (const name of awaited.files) {
    const { size } = await stat(join(awaited.wal, name))
    if (size === awaited.walSegmentSize) continue
    const why = `what is in ${awaited.wal} has ${size} bytes and not ${awaited.walSegmentSize}`
    throw archiveFailed(awaited.dataDir, name, why)
  }
}

async function failures(client: pg.Client): Promise<{ count: number; file: string | null }> {
  const { rows } = await client.query<{ count: string; file: string | null }>(
    'SELECT failed_count::text AS count, last_failed_wal AS file FROM pg_catalog.pg_stat_archiver',
  )
  return { count: Number(rows[0]?.count ?? 0), file: rows[0]?.file ?? null }
}

async function reason({ wal, walSegmentSize, log }: AwaitedArchive): Promise<string> {
  const said = [...(await log()).matchAll(/^howdah: cannot archive \S+: (.*)$/gm)].at(-1)?.[1]
  const { bavail, bsize } = await statfs(wal)
  const free = bavail * bsize
  const full = free < 2 * walSegmentSize ? `the disk is full at ${wal}` : null
  return [full, said].filter((one) => one != null).join('; ') || "the server's log says why"
}
