import { existsSync } from 'node:fs'
import { type DataDirectory, isStaging } from '@howdah/data-directory'
import type { LocalState } from './local-state.ts'
import { Uses } from './uses.ts'

/** The entry of this process among the users of a cluster. */
export interface UseEntry {
  /** Removes it. Idempotent; never rejects. */
  end(): Promise<void>
}

/**
 * Lists this process as a user of a cluster. `null` if that failed, which the user has been told. Never rejects: a user need
 * not be listed to use the cluster.
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

/** Has a cluster listed also while nobody uses it. Never rejects. */
export async function remember(state: LocalState, directory: DataDirectory): Promise<void> {
  await state.attempt(async (path) => note(await Uses.in(path), directory))
}

/**
 * Has a cluster that starts listed, unless it is only being made, and removes what users left who were killed. Never
 * rejects.
 */
export async function rememberStarted(state: LocalState, directory: DataDirectory): Promise<void> {
  if (isStaging(directory.path)) return
  await state.attempt(async (path) => {
    const uses = await Uses.in(path)
    note(uses, directory)
    await uses.reap(directory.path)
  })
}

/** Runs what removes a cluster, which is listed no more then. Rejects only with what that rejects with. */
export async function forgetting(
  directory: DataDirectory,
  remove: () => Promise<void>,
): Promise<void> {
  // It has no real path any more afterwards.
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

/** One that is to be thrown away is of no interest when nobody uses it. */
function note(uses: Uses, directory: DataDirectory): void {
  if (!existsSync(directory.throwAway)) uses.remember(directory.path)
}
