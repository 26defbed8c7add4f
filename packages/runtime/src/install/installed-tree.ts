import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDirectory } from '../machine/cache-directory.ts'
import { PackageVersion } from '../version/package-version.ts'
import { probeVersion } from '../version/probe-version.ts'
import { Runtime } from '../runtime.ts'
import { isIntact, readManifest, type TreePlace, treePath } from './runtime-tree.ts'
import type { Version } from '../version/version.ts'
import { notARuntime } from '../errors.ts'

/** A runtime that was installed into the cache. */
export class InstalledTree {
  readonly packageVersion: PackageVersion
  readonly place: TreePlace

  constructor(cacheDir: string | undefined, packageVersion: PackageVersion) {
    this.packageVersion = packageVersion
    const name = `${prefix()}${packageVersion.toString()}`
    this.place = { cache: cacheDirectory(cacheDir), kind: 'installed', name }
  }

  get path(): string {
    return treePath(this.place)
  }

  get version(): Version {
    return this.packageVersion.version
  }

  get bindir(): string {
    return join(this.path, 'bin')
  }

  /**
   * Throws `ERR_RUNTIME_NOT_A_RUNTIME` if the tree is damaged, and `ERR_RUNTIME_UNTRUSTED_DIRECTORY` if others could have
   * made it.
   */
  async runtime(): Promise<Runtime> {
    const manifest = await readManifest(this.path)
    if (!(await isIntact(this.place, manifest?.sizes ?? {}))) {
      const detail = `it is damaged; repair it with \`howdah runtimes install ${this.packageVersion.toString()}\``
      throw notARuntime(this.bindir, 'unusable', detail)
    }
    return Runtime.at(this.bindir, { version: this.version })
  }

  /** Like `runtime`, but also runs the server to check it. */
  async check(): Promise<void> {
    const { bindir } = await this.runtime()
    await probeVersion(join(bindir, 'postgres'))
  }
}

/** The trees that are installed for this platform, the highest version first. They are not checked. */
export async function installedTrees(cacheDir: string | undefined): Promise<InstalledTree[]> {
  const names = await readdir(join(cacheDirectory(cacheDir), 'installed')).catch(() => [])
  return names
    .filter((name) => name.startsWith(prefix()))
    .map((name) => PackageVersion.read(name.slice(prefix().length)))
    .filter((version) => version !== null)
    .toSorted((left, right) => right.compare(left))
    .map((version) => new InstalledTree(cacheDir, version))
}

/** The start of the names of this platform's trees. Machines of several kinds may share a home directory. */
function prefix(): string {
  return `${process.platform}-${process.arch}-`
}
