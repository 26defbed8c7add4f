import { join } from 'node:path'
import { chooseServerUser, readIfThere, writeOwnFile } from '@howdah/data-directory'

/** What a cluster has been given. */
export interface ProvisionRecord {
  /** The hash of the roles, databases and extensions. */
  readonly wanted: string | null
  /** The hash of the scripts of `init`. */
  readonly init: string | null
  /** The hash of the scripts of `seed`. */
  readonly seed: string | null
}

/**
 * The name of the record in the data directory. It does not begin as howdah's other files there do, because it belongs to the
 * data: clones, forks and backups have it, too.
 */
export const recordName = 'howdah-project.json'

const nothing: ProvisionRecord = { wanted: null, init: null, seed: null }

/** The record of a cluster, with `null` for what it does not tell. */
export function readRecord(dataDir: string): ProvisionRecord {
  try {
    const text = readIfThere(join(dataDir, recordName)) ?? '{}'
    const { wanted, init, seed } = JSON.parse(text) as Record<string, unknown>
    const hash = (value: unknown) => (typeof value === 'string' ? value : null)
    return { wanted: hash(wanted), init: hash(init), seed: hash(seed) }
  } catch {
    return nothing
  }
}

/** The text of a record. */
export function textOf(record: ProvisionRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`
}

/** Writes the record of a cluster, whole or not at all. */
export async function writeRecord(dataDir: string, record: ProvisionRecord): Promise<void> {
  const user = await chooseServerUser(dataDir)
  await writeOwnFile(join(dataDir, recordName), textOf(record), user)
}
