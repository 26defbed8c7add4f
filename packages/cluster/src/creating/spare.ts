import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { publishFile } from '@howdah/durable'
import { readPlainFile, tryAcquire } from '@howdah/lock'
import { type Cluster, insideOf } from '../cluster.ts'
import { takeApart } from '../connecting/as-url.ts'
import { rowsFrom } from '../without-driver/rows-from.ts'
import type { RunOptions } from '../running/run-options.ts'
import { postgres } from '../server.ts'
import { wantsTcp } from '../subject.ts'
import { invokingUser } from './create.ts'
import { keyOf } from './unpack-template.ts'

/*
 * A spare is a temporary cluster with a running server that nobody uses yet. The server lingers for as long as it was asked for;
 * then its watchdog removes the cluster, whoever lives. A file `.spare-<key>` beside it has its name. The process that renames
 * this file gets the cluster.
 */
const prefix = '.spare-'
const lockSuffix = '.lock'
/** Whether this is the name of a file that belongs to a spare cluster. */
export function isSpare(name: string): boolean {
  return name.startsWith(prefix)
}

/** Whether there may be a spare in a directory of temporary clusters. */
export function haveSpare(place: string): boolean {
  return readdirSync(place).some((name) => isSpare(name) && !name.endsWith(lockSuffix))
}

/**
 * What a spare must have in common with the cluster that is wanted: its template and the settings of its start. `null` if no
 * spare can take its place, because it is to run scripts, or is to be reached over TCP.
 */
export async function spareKey(cluster: Cluster, options: RunOptions): Promise<string | null> {
  const asked = takeApart(cluster.dataDir, options)
  const { init, locale, trust, settings = {} } = options
  if (init !== undefined || wantsTcp(asked) || asked.password !== undefined) return null
  const { directory, user, runtime } = await insideOf(cluster).coordination()
  const superuser = asked.user ?? invokingUser()
  const about = { directory, runtime: await runtime(), user, superuser, locale, trust }
  const { name } = await keyOf({ ...about, throwAway: true })
  const given = Object.entries(settings).toSorted(([one], [other]) => (one < other ? -1 : 1))
  const digest = createHash('sha256').update(JSON.stringify(given)).digest('hex')
  return `${name}-${digest.slice(0, 8)}`
}

/** Takes the spare, and gives its data directory; `null` if there is none, or another process was faster. */
export function claimSpare(place: string, key: string): string | null {
  const file = join(place, prefix + key)
  const taken = `${file}.${randomBytes(6).toString('hex')}`
  try {
    renameSync(file, taken)
    const found = clusterIn(taken)
    rmSync(taken, { force: true })
    return found
  } catch {
    return null
  }
}

/**
 * Starts a spare, unless there is one or another process is starting it. `cluster` is the spare, which does not exist yet, and
 * `linger` says how long it waits for its user, in ms.
 */
export async function prepareSpare(
  cluster: Cluster,
  key: string,
  { user, locale, trust, settings, timeout }: RunOptions,
  linger: number,
): Promise<void> {
  const file = join(dirname(cluster.dataDir), prefix + key)
  using lock = await tryAcquire(file + lockSuffix, { permissions: 0o600 })
  if (lock === null || clusterIn(file) !== null) return
  const about = { user, locale, trust, settings, timeout }
  const session = await cluster.run({ ...about, linger, throwAway: true })
  // The first connection takes longest, because its process makes files that those of others read.
  await rowsFrom(session.address, postgres, 'SELECT 1')
  // Its user is to be the only one.
  if ((await session.leave()) !== 'kept') return
  await publishFile(file, basename(cluster.dataDir), { mode: 0o600, durable: false })
}

/** Removes a file of a spare that has ended, or that a killed process has left. `name` is one for which {@link isSpare} holds. */
export async function sweepSpare(place: string, name: string): Promise<void> {
  const path = join(place, name)
  if (!name.endsWith(lockSuffix)) {
    // A process that has renamed it reads it at once. If it was killed instead, the cluster ends, and then the file goes.
    if (clusterIn(path) === null) rmSync(path, { force: true })
    return
  }
  using lock = await tryAcquire(path, { create: false }).catch(() => null)
  if (lock !== null && !existsSync(path.slice(0, -lockSuffix.length))) rmSync(path, { force: true })
}

/** The data directory that a file names; `null` if there is no such file or no such cluster. */
function clusterIn(file: string): string | null {
  try {
    const name = readPlainFile(file, { follow: false })
    const dataDir = join(dirname(file), name)
    return /^[0-9a-f]+$/.test(name) && existsSync(join(dataDir, 'PG_VERSION')) ? dataDir : null
  } catch {
    return null
  }
}
