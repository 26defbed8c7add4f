import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  ClusterError,
  completing,
  emptyDirectory,
  shippedSuperuser,
  unpackShippedTemplate,
  writeSystemIdentifier,
} from '@howdah/data-directory'
import { type Initialization, initdbArguments, runStatements, syncToDisk } from './initdb.ts'

/**
 * Fills an empty directory from the template that came with PostgreSQL, and syncs it unless the cluster will be thrown away.
 * `false`: there is no such template for this cluster, or it cannot be used, of which `onNotice` is told.
 */
export async function unpackShipped(
  staging: string,
  initialization: Initialization,
  onNotice: (message: string) => void,
): Promise<boolean> {
  const { runtime, superuser, user, throwAway } = initialization
  // initdb refuses the one, and shortens the other.
  if (superuser.startsWith('pg_') || Buffer.byteLength(superuser) > 63) return false
  const args = initdbArguments({ ...initialization, superuser: shippedSuperuser })
  const state = await unpackShippedTemplate(runtime, args, staging, {
    owner: user,
    sparse: throwAway,
    additions: new Map(),
    leavesOut: () => false,
    finish: async (root) => await writeSystemIdentifier(root),
  })
  if (state === 'missing') return false
  const problem = state === 'damaged' ? 'it is damaged' : await complete(staging, initialization)
  if (problem === null) {
    if (!throwAway) await syncToDisk(staging, initialization)
    return true
  }
  await emptyDirectory(staging)
  onNotice(`the template that came with ${runtime.toString()} is not used: ${problem}`)
  return false
}

/**
 * Makes what the template lacks, in single-user mode, or says what hinders it.
 *
 * The server has its default settings, so it does not start if the template is of another PostgreSQL, or if the machine does
 * not give it the shared memory that the template's settings ask for. initdb finds smaller settings then.
 */
async function complete(staging: string, initialization: Initialization): Promise<string | null> {
  const { statements, settings } = completing(initialization.superuser)
  try {
    await runStatements(staging, initialization, statements, settings)
    return null
  } catch (error) {
    // Of a killed server, the file names the shared memory.
    const isKilled = existsSync(join(staging, 'postmaster.pid'))
    if (isKilled || !(error instanceof ClusterError) || error.output === undefined) throw error
    return error.output
  }
}
