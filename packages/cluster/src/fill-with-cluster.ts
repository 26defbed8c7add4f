import { constants } from 'node:fs'
import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Initialization, initdb, initdbArguments, syncToDisk } from './initdb.ts'
import { leanSettings } from './lean-settings.ts'
import { writeSystemIdentifier } from './system-identifier.ts'
import { TemplateCache } from './template/template-cache.ts'
import { type TemplateKey, templateKey } from './template/template-key.ts'

/**
 * Fills an empty directory with a new cluster: by the template that this machine has of it, or else by initdb, of which a
 * template is kept then. Of several processes that need the same template at once, one runs initdb.
 *
 * Without a cache that can be used it is just initdb, and `onNotice` is told why.
 */
export async function fillWithCluster(
  staging: string,
  initialization: Initialization,
  onNotice: (message: string) => void,
): Promise<void> {
  const { runtime, user, superuser } = initialization
  const without = (error: unknown) => {
    const why = error instanceof Error ? error.message : String(error)
    onNotice(`new clusters take longer without a cache of templates: ${why}`)
    return null
  }
  const uid = user === null ? process.geteuid?.() : user.uid
  const cache = await TemplateCache.open().catch(without)
  if (cache === null) return await make(staging, initialization)
  const key = await templateKey(runtime, initdbArguments(superuser), uid)
  if (await unpack(cache, key, staging, initialization)) return
  // A failure of what is done alone is not one of the lock.
  let isAlone = false
  try {
    await cache.alone(key, async () => {
      isAlone = true
      if (await unpack(cache, key, staging, initialization)) return
      await make(staging, initialization, async () => {
        await cache.keep(key, staging, uid).catch(without)
      })
    })
  } catch (error) {
    if (isAlone) throw error
    without(error)
    await make(staging, initialization)
  }
}

async function make(
  staging: string,
  initialization: Initialization,
  keep?: () => Promise<void>,
): Promise<void> {
  await initdb(staging, initialization)
  await keep?.()
  for (const [path, text] of additionsTo(initialization)) {
    // As root we write where another user may, too; nothing but a file that is theirs anyway.
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW
    await using file = await open(join(staging, path), flags)
    const { uid, nlink } = await file.stat()
    const owner = initialization.user?.uid ?? uid
    if (uid !== owner || nlink !== 1) throw new Error(`${path} is not what initdb has made`)
    await file.writeFile(text)
  }
}

function additionsTo({ throwAway, runtime }: Initialization): ReadonlyMap<string, Buffer> {
  return throwAway ? leanSettings(runtime.version.major) : new Map()
}

async function unpack(
  cache: TemplateCache,
  key: TemplateKey,
  staging: string,
  initialization: Initialization,
): Promise<boolean> {
  const { user, throwAway } = initialization
  const state = await cache.unpack(key, staging, {
    owner: user,
    sparse: throwAway,
    additions: additionsTo(initialization),
    // Else all clones would be taken for standbys of each other.
    finish: async (root) => await writeSystemIdentifier(root),
  })
  if (state === 'damaged') {
    for (const name of await readdir(staging)) await rm(join(staging, name), { recursive: true })
  }
  if (state !== 'unpacked') return false
  if (!throwAway) await syncToDisk(staging, initialization)
  return true
}
