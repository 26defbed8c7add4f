import { forgetGone } from '@howdah/known-clusters'

/**
 * Clears what lies elsewhere of clusters that were removed with their worktrees: what is known of them, short links to their
 * sockets, and shared memory of a server that was killed. Never rejects: the next command tries again.
 *
 * It costs a look at each known cluster. Only if one is gone, the rest is looked for, as `howdah doctor --fix` does.
 */
export async function clearGone(): Promise<void> {
  try {
    if ((await forgetGone()) === 0) return
    const { diagnose } = await import('@howdah/doctor')
    await diagnose({ checks: ['stale-links', 'shared-memory'], fix: true })
  } catch {
    // Nobody waits for it.
  }
}
