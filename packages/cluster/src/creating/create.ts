import type { Staging } from './staging.ts'
import { fstatSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { readdir, rename, rm, rmdir } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { basename, join } from 'node:path'
import { syncDirectory } from '@howdah/durable'
import type { Runtime } from '@howdah/runtime'
import {
  DataDirectory,
  type Descriptor,
  diskFull,
  HeldDirectory,
  isByDescriptor,
  notPermitted,
  realByOwnLinks,
  type Removal,
  refuseSandbox,
  type ServerUser,
  temporaryOf,
  writeMark,
  writeOwnFile,
} from '@howdah/data-directory'
import { notEmpty } from '../errors.ts'
import type { Initialization } from './initdb.ts'
import { fillWithCluster } from './fill-with-cluster.ts'
import { clearWreck, markWreck } from './wreck.ts'

/**
 * Makes a cluster in an existing, empty directory, with UTF-8, the locale C by default, UTC, and no password on the socket.
 *
 * The directory itself is never replaced, because its flock is the change lock. The cluster is made in a directory inside it,
 * and then its files are moved out, `PG_VERSION` last. The marker file exists from the first step to the last. So after a
 * kill, the rest is recognized as a wreck, and the next process empties it. The caller holds the change lock.
 *
 * Throws `ERR_CLUSTER_NOT_EMPTY` if the directory has other content, `ERR_CLUSTER_DISK_FULL`, and `ERR_CLUSTER_CREATE_FAILED`
 * with the output of initdb.
 */
export async function createCluster(
  directory: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
  options: {
    throwAway: boolean
    change: Descriptor
    onNotice: (message: string) => void
    locale?: string | undefined
    trust?: boolean | undefined
    init?: Initialization['init']
    base?: string | undefined
    /** The name of the superuser; by default the name of the user who runs us. */
    superuser?: string | undefined
  },
): Promise<void> {
  const { throwAway, change, onNotice, superuser = invokingUser(), ...about } = options
  const initialization = { ...about, directory, runtime, user, superuser, throwAway }
  const removal = { user, runtime: () => Promise.resolve(runtime) }
  const durable = !throwAway
  const fill: Filling = async (staging, within) => {
    await fillWithCluster(staging, initialization, onNotice)
    if (throwAway) {
      const text = 'This cluster is removed when its last user leaves.\n'
      await writeOwnFile(within.throwAway, text, user, { durable })
    }
    return superuser
  }
  await bringIntoBeing(directory, change, removal, fill, { durable })
}

/** Fills a directory with a complete cluster, and gives the role to connect as. */
type Filling = (staging: Staging, within: DataDirectory) => Promise<string>

/**
 * Makes a cluster in an existing, empty directory, from any source: `fill` fills a directory inside it, which belongs to the
 * server's user. The directory is reached by its change lock, also in `fill`. Without `durable` nothing is synced, for a cluster
 * that nobody needs after a crash of the machine. See `createCluster`.
 */
export async function bringIntoBeing(
  named: DataDirectory,
  change: Descriptor,
  removal: Removal,
  fill: Filling,
  { durable = true }: { durable?: boolean } = {},
): Promise<void> {
  const directory = named.by(change)
  const { user } = removal
  await clearWreck(directory, removal)
  // A process may have been killed before it published the marker.
  const marker = temporaryOf(directory.wreck)
  const found = (await readdir(directory.here)).filter((name) => directory.file(name) !== marker)
  if (found.length > 0) throw notEmpty(directory.path, found.toSorted())
  try {
    take(directory, user)
    await markWreck(directory, { durable })
    const path = directory.newStaging()
    using held = HeldDirectory.make(path, user)
    const inside = new DataDirectory(join(directory.path, basename(path)), held)
    await refuseSandbox(inside, directory.path)
    const superuser = await fill({ directory: inside, path }, directory)
    await writeMark(directory, user, { superuser, created: true }, { durable })
    await bringIn(directory, path, user, durable)
  } catch (error) {
    await clearWreck(directory, removal).catch(() => undefined)
    throw explain(directory, error)
  }
}

/**
 * Gives the data directory to the server's user, and closes it to others. At this moment it contains at most the files of a
 * killed creator.
 */
function take(directory: DataDirectory, user: ServerUser | null): void {
  // The lock has followed a link at the path. Without /proc we do so again.
  using held = isByDescriptor(directory.here)
    ? HeldDirectory.open(directory.here)
    : HeldDirectory.follow(directory.here)
  if (user !== null && fstatSync(held.fd).uid !== user.uid) refuseForeignLinks(directory, held)
  rmSync(temporaryOf(directory.wreck), { force: true })
  held.give(user)
}

/** The name of the user who runs us, which is the superuser of a new cluster. */
export function invokingUser(): string {
  try {
    return userInfo().username
  } catch {
    // The uid has no entry in the user database, as is common in containers.
    return 'postgres'
  }
}

/** Throws if another user's link leads to a directory of root's, because that directory must not be given away. */
function refuseForeignLinks({ path }: DataDirectory, held: HeldDirectory): void {
  const real = isByDescriptor(held.path) ? readlinkSync(held.path) : realpathSync(held.path)
  if (realByOwnLinks(path) === real) return
  const why = `${path} leads to ${real}, which is root's, by another user's link; name the directory itself`
  throw notPermitted(path, real, why)
}

async function bringIn(
  directory: DataDirectory,
  path: string,
  user: ServerUser | null,
  durable: boolean,
): Promise<void> {
  const last = 'PG_VERSION'
  {
    using staging = HeldDirectory.open(path)
    const { uid } = fstatSync(staging.fd)
    if (uid !== (user?.uid ?? uid)) throw new Error(`${path} was replaced meanwhile; try again`)
    for (const name of await readdir(staging.path)) {
      if (name !== last) await rename(join(staging.path, name), directory.file(name))
    }
    await rename(join(staging.path, last), directory.versionFile)
  }
  await rmdir(path)
  if (durable) await syncDirectory(directory.here)
  await rm(directory.wreck)
  if (durable) await syncDirectory(directory.here)
}

function explain(directory: DataDirectory, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return diskFull(directory.path, directory.path, null, { cause: error })
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const { path = directory.path } = error as NodeJS.ErrnoException
    const message = `may not write to ${path}; use a data directory that is yours`
    return notPermitted(directory.path, path, message, { cause: error })
  }
  return error
}
