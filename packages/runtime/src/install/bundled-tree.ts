import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { buildTree, type TreeMode } from './build-tree.ts'
import { cacheDirectory } from '../machine/cache-directory.ts'
import { type EmbeddedPackage, readEmbeddedPackage } from '../strategy/embedded-package.ts'
import { fileError } from '../machine/file-error.ts'
import { processesRunning } from '../machine/processes-running.ts'
import { Runtime } from '../runtime.ts'
import {
  completeTree,
  isIntact,
  machineName,
  readManifest,
  type TreePlace,
  treePath,
} from './runtime-tree.ts'
import { blockedFor, type ServerUser } from '../machine/server-user.ts'
import { StagingDirectory } from './staging-directory.ts'
import { trustedDirectory } from '../machine/trusted-directory.ts'
import type { Version } from '../version/version.ts'
import { packageDamaged, unreachable } from '../errors.ts'

/** The place of the trees, and the user who runs their programs. */
export interface TreeOptions {
  /** See `cacheDirectory`. */
  readonly cacheDir?: string | undefined
  /** Only if we are root: the user who will run the programs; by default, it may be any user. */
  readonly serverUser?: ServerUser | undefined
}

/** The tree of programs of a package, which is made when it is needed. */
export class BundledTree {
  readonly version: Version
  /** The directory of the programs, which may not exist yet. */
  readonly bindir: string
  readonly #source: EmbeddedPackage
  readonly #mode: TreeMode
  readonly #place: TreePlace
  readonly #serverUser: ServerUser | undefined

  private constructor(source: EmbeddedPackage, mode: TreeMode, options: TreeOptions) {
    const { packageVersion, identity, content, version } = source
    this.#source = source
    this.#mode = mode
    this.#serverUser = options.serverUser
    // A linked tree belongs to one copy of the package. A copied tree (on a Mac) is shared by all projects.
    const key = process.platform === 'darwin' ? content : identity
    const name = `${process.platform}-${process.arch}-${packageVersion}-${mode}-${key}`
    this.#place = { cache: cacheDirectory(options.cacheDir), kind: 'trees', name }
    this.version = version
    this.bindir = join(treePath(this.#place), 'bin')
  }

  /** Plans the tree of a package. Throws `ERR_RUNTIME_PACKAGE` if the package is damaged. */
  static of(directory: string, options: TreeOptions): BundledTree {
    const source = readEmbeddedPackage(directory)
    return new BundledTree(source, modeFor(source, options.serverUser), options)
  }

  /**
   * The runtime in the tree. Makes the tree if it is missing or damaged.
   *
   * Throws `ERR_RUNTIME_UNTRUSTED_DIRECTORY`, `ERR_RUNTIME_CACHE_DIRECTORY`, `ERR_RUNTIME_UNREACHABLE`,
   * `ERR_RUNTIME_DISK_FULL`, `ERR_RUNTIME_PACKAGE` or `ERR_RUNTIME_NOT_A_RUNTIME`, each of which says what to do.
   */
  async runtime(): Promise<Runtime> {
    if (!(await isIntact(this.#place, this.#source.sizes))) await this.#build()
    this.#refuseUnreachable(this.bindir)
    return Runtime.at(this.bindir, { version: this.version })
  }

  async #build(): Promise<void> {
    const { cache, kind, name } = this.#place
    const trees = await trustedDirectory(cache, kind)
    const tree = join(trees, name)
    this.#refuseUnreachable(trees)
    try {
      await using staging = await StagingDirectory.create(trees)
      const { path: source, packageVersion, sizes, identity } = this.#source
      await buildTree(join(source, 'native'), staging.file('tree'), this.#mode)
      const manifest = { packageVersion, mode: this.#mode, source, sizes }
      await completeTree(staging.file('tree'), this.version, manifest)
      const { identity: identityNow } = readEmbeddedPackage(source)
      if (identityNow !== identity) throw packageDamaged(source, 'it changed while it was read')

      while (!(await staging.publish('tree', tree))) {
        // Another process made the tree first, or a damaged tree is in the place.
        if (await isIntact(this.#place, sizes)) break
        await staging.bury(tree)
      }
      await this.#prune(trees, staging)
    } catch (error) {
      throw fileError(error, trees, this.#source.path)
    }
  }

  /** Removes trees that no longer work because their package was removed or replaced, if we see that no process uses them. */
  async #prune(trees: string, staging: StagingDirectory): Promise<void> {
    for (const name of await readdir(trees)) {
      const tree = join(trees, name)
      if (name.startsWith('.') || name === this.#place.name) continue
      const manifest = await readManifest(tree)
      if (manifest?.source == null || manifest.machine !== machineName()) continue
      const replaced = manifest.source === this.#source.path && manifest.mode === this.#mode
      if (!replaced && (manifest.mode === 'copied' || (await exists(manifest.source)))) continue
      if ((await processesRunning(tree))?.length === 0) await staging.bury(tree)
    }
  }

  #refuseUnreachable(path: string): void {
    const blocked = blockedFor(this.#serverUser, [path])
    if (blocked === null) return
    const { uid } = this.#serverUser ?? {}
    throw unreachable(blocked, path, uid === undefined ? 'the user of the server' : `user ${uid}`)
  }
}

function modeFor(source: EmbeddedPackage, user: ServerUser | undefined): TreeMode {
  // macOS looks for libraries beside the target of a link, and there the links are missing.
  if (process.platform === 'darwin') return 'copied'
  const native = join(source.path, 'native')
  const needed = [
    '.',
    'lib/postgresql',
    'share/postgresql/postgres.bki',
    'share/postgresql/extension',
  ]
  const blocked = blockedFor(
    user,
    needed.map((path) => join(native, path)),
  )
  return blocked === null ? 'linked' : 'copied'
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
