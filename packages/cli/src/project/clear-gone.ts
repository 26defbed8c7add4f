import { forgetGone } from '@howdah/known-clusters'

/**
 * Removes the remains of clusters that were deleted with their worktrees: the records of known clusters, short links to
 * sockets, and shared memory of killed servers. Also removes saved clusters that are too
 * old, or that killed commands have left unfinished.
 *
 * Never rejects: the next command tries again. It looks once at each known cluster. Only if one no longer exists, it searches
 * for the other remains, like `howdah doctor --fix`.
 */
export async function clearGone(): Promise<void> {
  try {
    const { count, withLeftovers } = await forgetGone()
    if (withLeftovers.length > 0) {
      const { SavedClusters } = await import('@howdah/backup')
      for (const dataDir of withLeftovers) await new SavedClusters(dataDir).expire()
    }
    if (count === 0) return
    const { diagnose } = await import('@howdah/doctor')
    await diagnose({ checks: ['stale-links', 'shared-memory'], fix: true })
  } catch {
    // The command does not depend on this.
  }
}
