import { mkdirSync, rmdirSync } from 'node:fs'
import type { Server } from '@howdah/cluster'
import { initdb } from '@howdah/cluster/inside'
import {
  closedAbove,
  type DataDirectory,
  readMark,
  type ServerUser,
  writeOwnFile,
} from '@howdah/data-directory'
import { exchange } from '@howdah/lock'
import type { Runtime } from '@howdah/runtime'
import { carryDatabase } from './carrying/carry-database.ts'
import { carryFiles } from './carrying/carry-files.ts'
import { carryBootstrapRole, carryRoles } from './carrying/carry-roles.ts'
import { carrySettings } from './carrying/carry-settings.ts'
import { carryTablespaces } from './carrying/carry-tablespaces.ts'
import { factsOf, isCarried, kindOf } from './carrying/facts.ts'
import { refuseLacking } from './carrying/refuse-lacking.ts'
import { refuseUnsupported } from './carrying/refuse-unsupported.ts'
import { tellUncarried } from './carrying/tell-uncarried.ts'
import { cannotExchange, differs, failed } from './errors.ts'
import type { UpgradeOptions, UpgradeProgress, VerifiedDatabase } from './options.ts'
import { makingMark } from './place/leftovers.ts'
import {
  removeTablespaceDirectories,
  tablespaceDirectories,
} from './place/tablespace-directories.ts'
import { canUpgradeFiles, upgradeFiles } from './pg-upgrade.ts'
import { runPrivately } from './private-server.ts'
import { asking, type Source } from './source.ts'
import { compareGlobals } from './verifying/compare-globals.ts'
import { verifyDatabase } from './verifying/verify-database.ts'

/** The new cluster, when it is complete. */
export interface Made {
  readonly superuser: string
  readonly method: 'pg_upgrade' | 'dump'
  readonly databases: readonly VerifiedDatabase[]
}

/** What making the new cluster needs. */
export interface Making {
  readonly source: Source
  readonly runtime: Runtime
  readonly user: ServerUser | null
  readonly options: UpgradeOptions
  readonly tell: (notice: string) => void
}

/** Settings of the new server while it is filled: a directory that is lost in a crash was not a cluster yet. */
const quick = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  autovacuum: 'off',
  max_wal_size: '4GB',
  // Its certificates come at the end.
  ssl: 'off',
}

/**
 * Fills an empty directory with a cluster of the new major that is like the old one, and verifies that. If this fails, nothing
 * of it is left outside of the directory, which the caller removes.
 */
export async function makeCluster(staging: DataDirectory, making: Making): Promise<Made> {
  const { source } = making
  requireExchange(staging, source.path)
  try {
    return await fill(staging, making)
  } catch (error) {
    const { major } = making.runtime.version
    await removeTablespaceDirectories(tablespaceDirectories(staging.path, major))
    throw error
  }
}

async function fill(
  staging: DataDirectory,
  { source, runtime, user: inPlace, options, tell }: Making,
): Promise<Made> {
  const { signal } = options
  const begin = (step: UpgradeProgress['step'], more: Omit<UpgradeProgress, 'step'> = {}) => {
    signal?.throwIfAborted()
    options.onProgress?.({ step, ...more })
  }
  const user = inPlace && { ...inPlace, closed: await closedAbove(staging.path, inPlace) }
  const facts = await factsOf(await source.server())
  await refuseUnsupported(await source.server(), facts)
  begin('creating')
  const kind = kindOf(facts, runtime)
  const superuser = facts.bootstrap
  const initialization = { directory: staging, runtime, user, superuser, kind, throwAway: false }
  await initdb(staging.here, initialization)
  await writeOwnFile(staging.file(makingMark), 'An upgrade makes this cluster.\n', user)
  const settings = await carrySettings(await source.server(), staging, runtime, user, tell)
  const databases = facts.databases.filter(isCarried).map(({ name }) => name)
  const server = { runtime, user, superuser, settings: { ...options.settings, ...quick }, signal }
  const loading = { source, databases, begin }
  const isUpgraded =
    options.method !== 'dump' &&
    canUpgradeFiles(source.runtime, runtime, staging, user) &&
    (await runPrivately(staging, server, async (target) => {
      await refuseLacking(await source.server(), target, databases)
      return true
    })) &&
    (await upgradeFiles({ staging, source, runtime, user, superuser, signal, begin, tell }))
  await runPrivately(staging, server, async (target) => {
    if (isUpgraded) {
      for (const name of databases)
        await asking(target, name, async (client) => await client.query('ANALYZE'))
    } else await load(target, loading, signal)
  })
  const { directory } = source.coordination
  await carryFiles(directory, staging, settings, user)
  const mark = await readMark(directory)
  const asWhom = mark?.superuser ?? superuser
  const verified = await runPrivately(
    staging,
    { runtime, user, superuser: asWhom, settings: options.settings, signal },
    async (target) => {
      begin('verifying')
      return await verify(await source.server(), target, databases, begin, signal)
    },
  )
  await tellUncarried(await source.server(), facts, tell)
  return { superuser: asWhom, method: isUpgraded ? 'pg_upgrade' : 'dump', databases: verified }
}

type Begin = (step: UpgradeProgress['step'], more?: Omit<UpgradeProgress, 'step'>) => void

async function load(
  target: Server,
  { source, databases, begin }: { source: Source; databases: readonly string[]; begin: Begin },
  signal: AbortSignal | undefined,
): Promise<void> {
  const from = await source.server()
  await refuseLacking(from, target, databases)
  try {
    await carryRoles(from, target)
    await carryTablespaces(from, target)
  } catch (error) {
    throw failed(source.path, 'roles and tablespaces', error)
  }
  for (const database of databases) {
    begin('loading', { database })
    let told = 0
    const onBytes = (bytes: number) => {
      if (bytes - told < 2 ** 20) return
      told = bytes
      begin('loading', { database, bytes })
    }
    await carryDatabase(from, target, database, { signal, onBytes })
  }
  await carryBootstrapRole(from, target)
}

async function verify(
  source: Server,
  target: Server,
  databases: readonly string[],
  begin: Begin,
  signal: AbortSignal | undefined,
): Promise<VerifiedDatabase[]> {
  const all: VerifiedDatabase[] = []
  const differences = await compareGlobals(source, target)
  for (const database of databases) {
    begin('verifying', { database })
    const found = await verifyDatabase(source, target, database, signal)
    all.push(found.verified)
    differences.push(...found.differences)
  }
  if (differences.length > 0) throw differs(source.dataDir, differences)
  return all
}

/** Throws `ERR_UPGRADE_UNSUPPORTED` if two directories cannot be swapped here in one step. */
function requireExchange(staging: DataDirectory, dataDir: string): void {
  const pair = [staging.file('one'), staging.file('other')] as const
  for (const path of pair) mkdirSync(path)
  try {
    exchange(...pair)
  } catch (error) {
    throw cannotExchange(dataDir, error)
  } finally {
    for (const path of pair) rmdirSync(path)
  }
}
