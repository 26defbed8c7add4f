import { type SavedCluster, SavedClusters } from '@howdah/backup'
import {
  bringBackDatabase,
  dropSavedDatabase,
  type SavedDatabase,
  savedDatabases,
} from '@howdah/snapshot'
import { columns } from '@howdah/terminal'
import type { Context } from '../../program/command.ts'
import { misused } from '../../errors.ts'
import { exitStatus } from '../../exit-status.ts'
import { prepareProject } from '../../opening/default-data-directory.ts'
import { joinCluster } from '../../opening/join-cluster.ts'
import { openCluster } from '../../opening/open-cluster.ts'
import { patienceOf } from '../../opening/patience-of.ts'

/** A saved cluster or database. */
type Saved =
  | { readonly kind: 'cluster'; readonly saved: SavedCluster }
  | { readonly kind: 'database'; readonly saved: SavedDatabase }

/**
 * Brings back the cluster or database that was destroyed or dropped last, or the named one; or lists the saved ones, or
 * removes them for good.
 */
export async function undo(context: Context, [action]: readonly string[]): Promise<number> {
  const all = await list(context)
  if (action === 'list') await show(context, all)
  else if (action === 'clear') await clear(context, all)
  else {
    const chosen = action === undefined ? all[0] : all.find(({ saved }) => saved.id === action)
    if (chosen === undefined) {
      const what = action === undefined ? 'nothing is saved here' : `there is no ${action}`
      throw misused(`undo: ${what}; "howdah undo list" lists what there is`)
    }
    await bringBack(context, chosen)
  }
  return exitStatus.done
}

/** The saved clusters and databases, newest first. */
async function list(context: Context): Promise<Saved[]> {
  const { cluster } = openCluster(context, { mustExist: false })
  const places = new SavedClusters(cluster.dataDir)
  await places.expire().catch(() => undefined)
  const clusters = places.list().map((saved): Saved => ({ kind: 'cluster', saved }))
  const databases = (await databasesIn(context)).map((saved): Saved => ({
    kind: 'database',
    saved,
  }))
  return [...clusters, ...databases].toSorted(
    (one, other) => other.saved.at.getTime() - one.saved.at.getTime(),
  )
}

async function databasesIn(context: Context): Promise<SavedDatabase[]> {
  if (!(await openCluster(context, { mustExist: false }).cluster.exists())) return []
  await using session = await joinCluster(context, { ifExists: true })
  return await savedDatabases(session)
}

async function show({ output, options }: Context, all: readonly Saved[]): Promise<void> {
  const rows = all.map(({ kind, saved }) => ({
    id: saved.id,
    at: saved.at.toISOString(),
    kind,
    name: kind === 'database' ? saved.name : null,
    by: saved.by,
  }))
  if (options.json) return await output.json(rows)
  if (rows.length === 0) output.message('nothing is saved here')
  const cells = rows.map(({ id, at, kind, by, name }) => [
    id,
    at,
    `${kind}${name === null ? '' : ` ${name}`}`,
    `by ${by}`,
  ])
  for (const line of await columns(cells)) await output.line(line)
}

async function clear(context: Context, all: readonly Saved[]): Promise<void> {
  const { output, options } = context
  const { cluster } = openCluster(context, { mustExist: false })
  const clusters = new SavedClusters(cluster.dataDir)
  const databases = all.flatMap((one) => (one.kind === 'database' ? [one.saved] : []))
  for (const one of all) if (one.kind === 'cluster') await clusters.remove(one.saved)
  if (databases.length > 0) {
    await using session = await joinCluster(context, { ifExists: true })
    for (const database of databases) await dropSavedDatabase(session, database)
  }
  if (options.json) await output.json({ removed: all.length })
  else output.message(`removed ${all.length} of what was saved here`)
}

async function bringBack(context: Context, { kind, saved }: Saved): Promise<void> {
  const { output, options } = context
  const { cluster, place } = openCluster(context, { mustExist: false })
  if (kind === 'cluster') {
    prepareProject(place)
    await new SavedClusters(cluster.dataDir).bringBack(cluster, saved, patienceOf(context))
  } else {
    await using session = await joinCluster(context, { ifExists: true })
    await bringBackDatabase(session, saved)
  }
  const what = kind === 'cluster' ? cluster.dataDir : `database ${saved.name}`
  if (options.json) await output.json({ id: saved.id, kind, restored: what })
  else output.message(`brought back ${what}, as it was at ${saved.at.toISOString()}`)
}
