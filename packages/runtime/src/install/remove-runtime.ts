import { cacheDirectory } from '../machine/cache-directory.ts'
import { type InstalledTree, installedTrees } from './installed-tree.ts'
import { PackageVersion } from '../version/package-version.ts'
import { PartialVersion } from '../version/partial-version.ts'
import { processesRunning } from '../machine/processes-running.ts'
import { StagingDirectory } from './staging-directory.ts'
import { refuseWindows } from './supported-platform.ts'
import { existingTrustedDirectory } from '../machine/trusted-directory.ts'
import { runtimeInUse } from '../errors.ts'

/** Options of a removal. */
export interface RemoveOptions {
  /** See `cacheDirectory`. */
  readonly cacheDir?: string | undefined
  /** Removes a runtime even if its programs are running. */
  readonly force?: boolean | undefined
}

/**
 * Removes the runtimes of a version that `installRuntime` has installed: all of a major (`16`), a version (`16.3`) or an
 * exact version of the package. Returns `unmodified` if there was none. It removes nothing else.
 *
 * Throws `ERR_RUNTIME_IN_USE` if a process that we can see runs its programs, `ERR_RUNTIME_VERSION`,
 * `ERR_RUNTIME_UNTRUSTED_DIRECTORY` or `ERR_RUNTIME_CACHE_DIRECTORY`.
 */
export async function removeRuntime(
  version: string | number,
  options: RemoveOptions = {},
): Promise<'modified' | 'unmodified'> {
  refuseWindows()
  const { cacheDir, force = false } = options
  const exact = PackageVersion.read(String(version))
  const wanted = exact === null ? PartialVersion.parse(version) : null
  const trees = (await installedTrees(cacheDir)).filter(({ packageVersion }) =>
    wanted === null ? exact?.compare(packageVersion) === 0 : wanted.matches(packageVersion.version),
  )
  if (trees.length === 0) return 'unmodified'
  const directory = await existingTrustedDirectory(cacheDirectory(cacheDir), 'installed')
  if (directory === null) return 'unmodified'
  if (!force) await refuseUsed(trees)
  await using staging = await StagingDirectory.create(directory)
  const removed = await Promise.all(trees.map((tree) => staging.bury(tree.path)))
  return removed.includes(true) ? 'modified' : 'unmodified'
}

async function refuseUsed(trees: readonly InstalledTree[]): Promise<void> {
  for (const tree of trees) {
    // macOS does not tell. There, a running server goes on with its open files.
    const pids = (await processesRunning(tree.path)) ?? []
    if (pids.length > 0) throw runtimeInUse(tree.bindir, pids)
  }
}
