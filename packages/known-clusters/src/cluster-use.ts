import { userInfo } from 'node:os'
import type { StandardSchemaV1 } from '@howdah/store'
import type { ClusterUser } from '@howdah/data-directory'

/** A process's stay on a cluster, as `howdah ls` shows it. What is not known is `null`. */
export interface ClusterUse extends ClusterUser {
  /** The name of the operating system's user that it runs as, or its uid if it has no name. */
  readonly user: string | null
  readonly since: Date | null
  /** The database that it joined with. */
  readonly database: string | null
  /** Whether it asked for the socket, or for TCP. */
  readonly how: 'socket' | 'tcp' | null
}

/** A use as it is saved. The entry itself says which process it is. */
export interface SavedUse {
  /** The real path. */
  readonly dataDir: string
  readonly command: string
  readonly user: string
  /** ISO 8601. */
  readonly since: string
  readonly database: string
  readonly how: 'socket' | 'tcp'
}

/** In characters; the rest of a longer command line helps nobody. */
const longestCommand = 1000

/** What this process says of itself. */
export function describeUse(
  dataDir: string,
  { database, tcp }: { database: string; tcp: boolean },
): SavedUse {
  return {
    dataDir,
    command: [process.argv0, ...process.execArgv, ...process.argv.slice(1)]
      .join(' ')
      .slice(0, longestCommand),
    user: nameOfOurselves(),
    since: new Date().toISOString(),
    database,
    how: tcp ? 'tcp' : 'socket',
  }
}

/** What a process said of itself. */
export function readUse({ pid }: { readonly pid: number }, saved: SavedUse): ClusterUse {
  const { command, user, since, database, how } = saved
  return { pid, command, user, since: new Date(since), database, how }
}

/** What a saved use must be. */
export const useSchema: StandardSchemaV1<SavedUse> = {
  '~standard': {
    version: 1,
    vendor: 'howdah',
    validate: (value) =>
      isSavedUse(value)
        ? { value }
        : { issues: [{ message: 'it is not what this version saves of a use' }] },
  },
}

function isSavedUse(value: unknown): value is SavedUse {
  if (typeof value !== 'object' || value === null) return false
  const use = value as Record<keyof SavedUse, unknown>
  const texts = [use.dataDir, use.command, use.user, use.since, use.database]
  return (
    texts.every((text) => typeof text === 'string') &&
    !Number.isNaN(Date.parse(use.since as string)) &&
    (use.how === 'socket' || use.how === 'tcp')
  )
}

function nameOfOurselves(): string {
  try {
    return userInfo().username
  } catch {
    // A uid without an entry in the user database, as containers have them.
    return String(process.geteuid?.() ?? '')
  }
}
