import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chooseDataDirectory, type DataDirectoryChoice } from '../opening/default-data-directory.ts'
import { openCluster } from '../opening/open-cluster.ts'
import type { Context } from '../program/command.ts'
import { originalOf, whatIsNew, worktreeName } from './provide-fork.ts'

/** What a command that does not create a cluster finds. */
export interface BeforeCommand {
  readonly place?: DataDirectoryChoice
  /** If there was no cluster and still is none, says why the project has a different cluster than the user may expect. */
  readonly explain: () => void
}

/** Call this before a command that does not create a cluster. */
export function explainMissing(context: Context): BeforeCommand {
  try {
    const place = chooseDataDirectory(context.options.datadir, context.io)
    // A missing branch is an error, which says why.
    if (context.options.branch !== undefined) return { place, explain: () => undefined }
    const isThere = () => existsSync(join(place.path, 'PG_VERSION'))
    const wasThere = isThere()
    const explain = () => {
      if (!wasThere && !isThere()) sayWhy({ ...context, place })
    }
    return { place, explain }
  } catch {
    // The command itself reports the error.
    return { explain: () => undefined }
  }
}

function sayWhy(context: Context): void {
  const open = openCluster(context)
  const original = originalOf(context, open)
  const news =
    original === null
      ? whatIsNew(open, false)
      : `${worktreeName(open.place.found)} has no cluster yet; its first use forks ${original}`
  if (news !== null) context.output.message(`howdah: ${news}`)
}
