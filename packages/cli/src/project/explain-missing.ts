import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../program/command.ts'
import { openCluster } from '../opening/open-cluster.ts'
import { originalOf, whatIsNew, worktreeName } from './provide-fork.ts'

/**
 * Call this before a command that does not create a cluster, and call the returned function after it. If there was no cluster
 * and still is none, the function says why the project has a different cluster than the user may expect.
 */
export function explainMissing(context: Context): () => void {
  try {
    const open = openCluster(context)
    const isThere = () => existsSync(join(open.place.path, 'PG_VERSION'))
    if (isThere()) return () => undefined
    return () => {
      if (isThere()) return
      const { found } = open.place
      const original = originalOf(context, open)
      const news =
        original === null
          ? whatIsNew(open, false)
          : `${worktreeName(found)} has no cluster yet; its first use forks ${original}`
      if (news !== null) context.output.message(`howdah: ${news}`)
    }
  } catch {
    // The command itself reports the error.
    return () => undefined
  }
}
