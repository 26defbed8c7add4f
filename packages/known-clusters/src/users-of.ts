import { existsSync } from 'node:fs'
import { users } from '@howdah/coordinate'
import type { ClusterUser, DataDirectory } from '@howdah/data-directory'

/**
 * The users of a cluster: the holders of its use lock; none if the cluster was removed. If the kernel does not tell the holders, they are the living processes
 * that have entered themselves into this user's state.
 */
export async function usersOf(directory: DataDirectory): Promise<ClusterUser[]> {
  try {
    return await users({ use: directory.versionFile })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ERR_LOCK_UNSUPPORTED') throw error
    return await enteredUsers(directory.path)
  }
}

/** The users as far as they are known, for a message or a warning: what fails about the list keeps nobody from what the locks allow. */
export async function knownUsersOf(directory: DataDirectory): Promise<ClusterUser[]> {
  return await usersOf(directory).catch(() => [])
}

async function enteredUsers(dataDir: string): Promise<ClusterUser[]> {
  const [{ findStateDirectory }, { Uses }] = await Promise.all([
    import('@howdah/store'),
    import('./uses.ts'),
  ])
  const state = findStateDirectory()
  if (state === null || !existsSync(dataDir)) return []
  const uses = await Uses.in(state, { create: false })
  const { dataDir: real } = uses.locate(dataDir)
  const found = await uses.list(() => undefined)
  return found
    .filter((one) => one.dataDir === real)
    .map(({ use: { pid, command } }) => ({ pid, command }))
}
