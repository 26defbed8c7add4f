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
   * Throws `ERR_RUNTIME_NOT_A_RUNTIME` if it is damaged, and `ERR_RUNTIME_UNTRUSTED_DIRECTORY` if others could have put it
   * there.
   */
  async runtime(): Promise<Runtime> {
    const manifest = await readManifest(this.path)
    if (!(await isIntact(this.place, manifest?.sizes ?? {}))) {
      const detail = `it is damaged; repair it with \`howdah runtimes install ${this.packageVersion.toString()}\``
      throw notARuntime(this.bindir, 'unusable', detail)
    }
    return Runtime.at(this.bindir, { version: this.version })
  }

  /** Like `runtime`, and runs the server. */
  async check(): Promise<void> {
    const { bindir } = await this.runtime()
    await probeVersion(join(bindir, 'postgres'))
  }
}

/** What is installed for this platform, the highest version first; nothing has been checked. */
export async function installedTrees(cacheDir: string | undefined): Promise<InstalledTree[]> {
  const names = await readdir(join(cacheDirectory(cacheDir), 'installed')).catch(() => [])
  return names
    .filter((name) => name.startsWith(prefix()))
    .map((name) => PackageVersion.read(name.slice(prefix().length)))
    .filter((version) => version !== null)
    .toSorted((left, right) => right.compare(left))
    .map((version) => new InstalledTree(cacheDir, version))
}

/** Home directories may be shared by machines of several kinds. */
function prefix(): string {
  return `${process.platform}-${process.arch}-`
}
