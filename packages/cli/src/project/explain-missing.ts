import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../program/command.ts'
import { openCluster } from '../opening/open-cluster.ts'
import { originalOf, whatIsNew, worktreeName } from './provide-fork.ts'

/**
 * Looks whether there is a cluster before a command that makes none, and gives what is to be done after it: if there was
 * none, and is none, it says why the cluster is not the one that somebody may expect.
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
    // The command says what is wrong.
    return () => undefined
  }
}
