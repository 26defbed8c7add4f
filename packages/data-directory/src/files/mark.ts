import { readPlainFile } from '@howdah/lock'
import type { DataDirectory } from '../data-directory.ts'
import { writeOwnFile } from './own-file.ts'
import type { ServerUser } from '../user/server-user.ts'

/** What howdah remembers of a cluster. */
export interface Mark {
  /** The role to connect as. */
  readonly superuser: string
  /** Whether howdah created the cluster: one that it did not is destroyed only when forced. */
  readonly created: boolean
}

/** Writes howdah's mark, whole or not at all. */
export async function writeMark(
  directory: DataDirectory,
  user: ServerUser | null,
  mark: Mark,
): Promise<void> {
  await writeOwnFile(directory.mark, `${JSON.stringify(mark, null, 2)}\n`, user)
}

/** The mark, or `null` if there is none, or none that can be read. */
export async function readMark(directory: DataDirectory): Promise<Mark | null> {
  try {
    const { superuser, created } = JSON.parse(readPlainFile(directory.mark)) as Record<
      string,
      unknown
    >
    return typeof superuser === 'string' ? { superuser, created: created === true } : null
  } catch {
    return null
  }
}
