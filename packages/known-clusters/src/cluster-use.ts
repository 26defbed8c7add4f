import { userInfo } from 'node:os'
import type { StandardSchemaV1 } from '@howdah/store'
import type { ClusterUser } from '@howdah/data-directory'

/** The use of a cluster by a process, as `howdah ls` shows it. Unknown facts are `null`. */
export interface ClusterUse extends ClusterUser {
  /** The name of the operating system's user that the process runs as, or the uid if there is no name. */
  readonly user: string | null
  readonly since: Date | null
  /** The database that the process asked for when it joined. */
  readonly database: string | null
  /** Whether the process asked for the socket or for TCP. */
  readonly how: 'socket' | 'tcp' | null
}

/** The saved form of a use. The process is a part of the entry itself. */
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

/** The longest command line that is saved, in characters. The rest of a longer one is of no use. */
const longestCommand = 1000

/** Describes the use by this process. */
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

/** Reads the description that a process has saved. */
export function readUse({ pid }: { readonly pid: number }, saved: SavedUse): ClusterUse {
  const { command, user, since, database, how } = saved
  return { pid, command, user, since: new Date(since), database, how }
}

/** The schema of a saved use. */
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
    // The uid has no entry in the user database, as is common in containers.
    return String(process.geteuid?.() ?? '')
  }
}
