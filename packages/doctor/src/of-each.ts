import { lstat } from 'node:fs/promises'
import type { DataDirectory } from '@howdah/data-directory'
import type { Complaint } from './check.ts'
import { lookAgain } from './look-again.ts'
import { missing } from './checks/locks.ts'
import type { Scene } from './scene.ts'

/** Runs a check on each cluster. An error becomes a finding about that cluster. */
export async function ofEach(
  { clusters, own }: Scene,
  complain: (directory: DataDirectory) => Promise<readonly Complaint[]>,
): Promise<Complaint[]> {
  const found = await Promise.all(
    clusters.map(async (directory) => {
      try {
        const complaints = await lookAgain(async () => await complain(directory))
        return own.has(directory.path) ? complaints : complaints.map(unmended)
      } catch (error) {
        return (await isGone(directory)) ? [] : [unknown(error, directory.path)]
      }
    }),
  )
  return found.flat()
}

/** The complaint for a directory of another user, which is not mended. */
function unmended({ mend, cure, ...complaint }: Complaint): Complaint {
  const who = mend === undefined ? '' : 'as its owner, or with -D: '
  return { ...complaint, cure: who + cure }
}

/** The complaint about an unknown answer. The error's message ends in a remedy after a semicolon. */
export function unknown(error: unknown, path?: string): Complaint {
  const withoutLocks = missing(error)
  if (withoutLocks !== null) return withoutLocks
  const message = error instanceof Error ? error.message : String(error)
  const [why = message, ...remedies] = message.split('; ')
  return {
    severity: 'unknown',
    subject: path === undefined ? {} : { path },
    what: path === undefined || why.includes(path) ? why : `cannot look into ${path}: ${why}`,
    cure: remedies.length > 0 ? remedies.join('; ') : 'mend that first, and look again',
  }
}

/** Whether the directory was removed meanwhile. */
async function isGone({ path }: DataDirectory): Promise<boolean> {
  return await lstat(path).then(
    () => false,
    ({ code }: NodeJS.ErrnoException) => code === 'ENOENT',
  )
}
