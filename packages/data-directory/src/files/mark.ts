import { readPlainFile } from '@howdah/lock'
import type { DataDirectory } from '../data-directory.ts'
import { writeOwnFile } from './own-file.ts'
import type { ServerUser } from '../user/server-user.ts'

/** The facts about a cluster that howdah remembers. */
export interface Mark {
  /** The role to connect as. */
  readonly superuser: string
  /** Whether howdah created the cluster. If it did not, the cluster is destroyed only by force. */
  readonly created: boolean
}

/** Writes howdah's mark, whole or not at all; see {@link writeOwnFile}. */
export async function writeMark(
  directory: DataDirectory,
  user: ServerUser | null,
  mark: Mark,
  options?: { durable?: boolean | undefined },
): Promise<void> {
  await writeOwnFile(directory.mark, `${JSON.stringify(mark, null, 2)}\n`, user, options)
}

/** The mark; `null` if there is none or it is unreadable. */
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
