import { constants } from 'node:fs'
import { join } from 'node:path'
import { beginFreshWal, type Initialization, initdb } from './initdb.ts'
import type { Staging } from './staging.ts'
import { additionsTo, keyOf, unpackTemplate } from './unpack-template.ts'
import { unpackShipped } from './unpack-shipped.ts'
import { open, TemplateCache } from '@howdah/data-directory'

/**
 * Fills an empty directory with a new cluster: from a template in this machine's cache; or else from the one that came with
 * PostgreSQL, or by initdb, and then keeps the result as a template. If several processes need the same template at once, one
 * of them makes it. What comes from a shipped template is kept only if it is wanted again.
 *
 * Without a usable cache it runs initdb, and tells `onNotice` why.
 */
export async function fillWithCluster(
  staging: Staging,
  initialization: Initialization,
  onNotice: (message: string) => void,
): Promise<void> {
  const { here } = staging.directory
  const make = async (keep?: (isShipped: boolean) => Promise<void>) => {
    await makeIn(staging, initialization, onNotice, keep)
  }
  if (initialization.init?.key === null) return await make()
  const key = await keyOf(initialization)
  const without = (error: unknown) => {
    const why = error instanceof Error ? error.message : String(error)
    onNotice(`new clusters take longer without a cache of templates: ${why}`)
    return null
  }
  const cache = await TemplateCache.open().catch(without)
  if (cache === null) return await make()
  if (await unpackTemplate(cache, key, here, initialization)) return
  if (initialization.base !== undefined) {
    return await fillWithCluster(staging, { ...initialization, base: undefined }, onNotice)
  }
  const isWantedAgain = await cache.wasWanted(key)
  // Distinguishes a failure of the action from a failure to get the lock.
  let isAlone = false
  try {
    await cache.alone(key, async () => {
      isAlone = true
      if (await unpackTemplate(cache, key, here, initialization)) return
      await make(async (isShipped) => {
        // To keep it takes longer than to complete a shipped template, of which many machines need just one cluster.
        if (isShipped && !isWantedAgain) return
        // The WAL of a shipped template is fresh.
        if (!isShipped) await beginFreshWal(here, initialization)
        await cache.keep(key, here, initialization.user?.uid).catch(without)
      })
    })
  } catch (error) {
    if (isAlone) throw error
    without(error)
    await make()
  }
}

async function makeIn(
  staging: Staging,
  initialization: Initialization,
  onNotice: (message: string) => void,
  keep?: (isShipped: boolean) => Promise<void>,
): Promise<void> {
  const { here } = staging.directory
  const { init } = initialization
  const isShipped = init === undefined && (await unpackShipped(here, initialization, onNotice))
  if (init !== undefined) {
    // Made with default settings, because lean settings would become a part of the template.
    await fillWithCluster(
      staging,
      { ...initialization, init: undefined, throwAway: false },
      onNotice,
    )
    await init.run(staging)
  } else if (!isShipped) await initdb(here, initialization)
  await keep?.(isShipped)
  for (const [path, text] of additionsTo(initialization)) {
    // As root we write in a directory in which another user may write, so only a file that belongs to that user is opened.
    const { O_APPEND, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants
    const flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK
    await using file = await open(join(here, path), flags)
    const stats = await file.stat()
    const owner = initialization.user?.uid ?? stats.uid
    if (!stats.isFile() || stats.uid !== owner || stats.nlink !== 1)
      throw new Error(`${path} is not what initdb has made`)
    await file.writeFile(text)
  }
}
