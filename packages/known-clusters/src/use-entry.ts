import { existsSync } from 'node:fs'
import { type DataDirectory, isStaging } from '@howdah/data-directory'
import type { LocalState } from './local-state.ts'
import { Uses } from './uses.ts'

/** The entry of this process among the users of a cluster. */
export interface UseEntry {
  /** Removes the entry. Idempotent; never rejects. */
  end(): Promise<void>
}

/**
 * Lists this process as a user of a cluster. Gives `null` if that failed, after reporting it. Never rejects, because a
 * process need not be listed to use the cluster.
 */
export async function enter(
  state: LocalState,
  directory: DataDirectory,
  use: { database: string; tcp: boolean },
): Promise<UseEntry | null> {
  const entry = await state.attempt(async (path) => {
    const uses = await Uses.in(path)
    note(uses, directory)
    return await uses.enter(directory.path, use)
  })
  return entry && { end: async () => void (await entry.destroy().catch(() => undefined)) }
}

/** Lists a cluster even while nobody uses it. Never rejects. */
export async function remember(state: LocalState, directory: DataDirectory): Promise<void> {
  await state.attempt(async (path) => note(await Uses.in(path), directory))
}

/**
 * Lists a starting cluster, unless it is still being made, and removes the entries of killed users. Never rejects.
 */
export async function rememberStarted(state: LocalState, directory: DataDirectory): Promise<void> {
  if (isStaging(directory.path)) return
  await state.attempt(async (path) => {
    const uses = await Uses.in(path)
    note(uses, directory)
    await uses.reap(directory.path)
  })
}

/** Runs `remove`, then drops the cluster from `howdah ls`. Rejects only with the errors of `remove`. */
export async function forgetting(
  directory: DataDirectory,
  remove: () => Promise<void>,
): Promise<void> {
  // After the removal the directory has no real path, so it is found before.
  const forget = await forgetter(directory).catch(() => null)
  await remove()
  await forget?.().catch(() => undefined)
}

async function forgetter({ path }: DataDirectory): Promise<() => Promise<void>> {
  const { stateDirectory } = await import('@howdah/store')
  const uses = await Uses.in(stateDirectory())
  const { identity } = uses.locate(path)
  return async () => await uses.forget(identity)
}

/** Lists the cluster, unless it will be thrown away after its last user. */
function note(uses: Uses, directory: DataDirectory): void {
  if (!existsSync(directory.throwAway)) uses.remember(directory.path)
}
