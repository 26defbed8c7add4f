import { type Initialization, initdbArguments, syncToDisk } from './initdb.ts'
import {
  emptyDirectory,
  leanSettings,
  type TemplateCache,
  type TemplateKey,
  templateKey,
  writeSystemIdentifier,
} from '@howdah/data-directory'

/** The text that is added to files of a cluster after initdb. */
export function additionsTo({
  throwAway,
  runtime,
  base,
}: Initialization): ReadonlyMap<string, Buffer> {
  const additions = throwAway ? leanSettings(runtime.version.major) : []
  // A base was kept with them, except for the file of `ALTER SYSTEM`.
  return new Map(
    [...additions].filter(([name]) => base === undefined || name === 'postgresql.auto.conf'),
  )
}

/**
 * Whether a file is a free space map or a visibility map. They are a quarter of all files, and PostgreSQL makes them again
 * when it needs them; see "Free Space Map" and "Visibility Map" in its manual.
 */
function canDoWithout(path: string): boolean {
  return /^(base|global)\/.*_(fsm|vm)$/.test(path)
}

/** The key of the template for a cluster. */
export async function keyOf(initialization: Initialization): Promise<TemplateKey> {
  const { runtime, user, init, base } = initialization
  const uid = user === null ? process.geteuid?.() : user.uid
  const args = [
    ...initdbArguments(initialization),
    ...(init === undefined ? [] : [`init ${init.key}`]),
    ...(base === undefined ? [] : [`base ${base}`]),
  ]
  return await templateKey(runtime, args, uid)
}

/**
 * Fills an empty directory from a template, and syncs it unless the cluster will be thrown away. `false`: there is no
 * template, or it is damaged.
 */
export async function unpackTemplate(
  cache: TemplateCache,
  key: TemplateKey,
  staging: string,
  initialization: Initialization,
): Promise<boolean> {
  const { user, throwAway, base } = initialization
  const state = await cache.unpack(key, staging, {
    owner: user,
    sparse: throwAway,
    additions: additionsTo(initialization),
    leavesOut: (path) => throwAway && base === undefined && canDoWithout(path),
    // Otherwise all clones would count as standbys of each other.
    finish: async (root) => await writeSystemIdentifier(root),
  })
  if (state === 'damaged') {
    await emptyDirectory(staging)
  }
  if (state !== 'unpacked') return false
  if (!throwAway) await syncToDisk(staging, initialization)
  return true
}
