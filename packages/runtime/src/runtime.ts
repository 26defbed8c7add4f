import { type Dirent, readdirSync, readlinkSync } from 'node:fs'
import { basename, delimiter, isAbsolute, join, resolve } from 'node:path'
import type { Options, Result } from 'execa'
import { locateServer } from './locate-server.ts'
import { probeVersion } from './version/probe-version.ts'
import { refuseWindows } from './install/supported-platform.ts'
import { VersionCache } from './version/version-cache.ts'
import type { Version } from './version/version.ts'
import { notARuntime, programMissing } from './errors.ts'

/**
 * An installation of PostgreSQL: a directory of programs of one version, with at least a server.
 *
 * It describes the directory when it was found; a package manager may replace or remove it at any time.
 */
export class Runtime {
  /** The absolute path of the directory with the programs. */
  readonly bindir: string
  readonly version: Version
  /** The names of the programs; the bundled runtimes have only `initdb`, `pg_ctl` and `postgres`. */
  readonly programs: ReadonlySet<string>

  private constructor(bindir: string, version: Version, programs: ReadonlySet<string>) {
    this.bindir = bindir
    this.version = version
    this.programs = programs
  }

  /**
   * The runtime in a directory of programs.
   *
   * Asks its server for its version, unless the cache knows it. If `postgres` is a link into another directory, that
   * directory is used. If `version` is given, neither the server nor the link is checked. Throws `ERR_RUNTIME_NOT_A_RUNTIME`,
   * whose `problem` says why the directory is not a runtime.
   */
  static async at(
    bindir: string,
    options: {
      version?: Version | undefined
      versions?: VersionCache | undefined
      cacheDir?: string | undefined
    } = {},
  ): Promise<Runtime> {
    refuseWindows()
    const directory = resolve(bindir)
    if (options.version) return new Runtime(directory, options.version, programsIn(directory))
    const { bindir: real, postgres, stats } = locateServer(directory)
    const versions = options.versions ?? new VersionCache(options.cacheDir)
    const version = await versions.versionOf(postgres, stats, () => probeVersion(postgres))
    return new Runtime(real, version, programsIn(real))
  }

  /** Whether the runtime has a program. */
  has(name: string): boolean {
    return this.programs.has(name)
  }

  /** The absolute path of a program. Throws `ERR_RUNTIME_PROGRAM_MISSING` if the runtime does not have it. */
  program(name: string): string {
    if (this.has(name)) return join(this.bindir, name)
    throw programMissing(name, this)
  }

  /**
   * Runs one of the runtime's programs, with execa and its options.
   *
   * It is run by its path, and PATH is not changed. Throws `ERR_RUNTIME_PROGRAM_MISSING` if the runtime does not have the
   * program.
   */
  async execute<O extends Options = Defaults>(
    program: string,
    args: readonly string[] = [],
    options?: O,
  ): Promise<Result<O>> {
    return run(this.program(program), args, options)
  }

  /** Runs any command, with execa and its options. The runtime's programs are first on its PATH. */
  async command<O extends Options = Defaults>(
    name: string,
    args: readonly string[] = [],
    options?: O,
  ): Promise<Result<O>> {
    const { extendEnv, env }: Options = options ?? {}
    const PATH = this.path({ ...(extendEnv === false ? {} : process.env), ...env })
    return run(name, args, { ...options, env: { ...env, PATH } })
  }

  /** The PATH of an environment (our own by default), with `bindir` first and not repeated. */
  path(env: Readonly<Record<string, string | undefined>> = process.env): string {
    const PATH = env['PATH']
    // Keeps relative and empty entries, since they mean another directory in each working directory. An empty PATH has no
    // entries.
    const entries = PATH ? PATH.split(delimiter) : []
    const others = entries.filter((entry) => !isAbsolute(entry) || resolve(entry) !== this.bindir)
    return [this.bindir, ...others].join(delimiter)
  }

  /** The version and the directory of the programs, for messages. */
  toString(): string {
    return `PostgreSQL ${this.version.toString()} at ${this.bindir}`
  }
}

/** Execa's default options on which its types depend. */
type Defaults = { encoding: 'utf8' }

/** Loads execa on use: a search for a runtime does not need it. */
async function run<O extends Options>(
  command: string,
  args: readonly string[],
  options: Options | undefined,
): Promise<Result<O>> {
  const { execa } = await import('execa')
  return (await execa(command, args, options ?? {})) as unknown as Result<O>
}

/** The programs of PostgreSQL itself, any of which may be a link to Debian's pg_wrapper. */
const wrapped =
  /^(?:psql|pg_\w+|pgbench|(?:create|drop|re?index|vacuum|cluster)\w*|initdb|ecpg|oid2name|postmaster)$/

function programsIn(bindir: string): ReadonlySet<string> {
  const names = entriesOf(bindir)
    .filter((entry) => entry.isFile() || (entry.isSymbolicLink() && !isPgWrapper(bindir, entry)))
    .map(({ name }) => name)
  return new Set(names.toSorted())
}

function entriesOf(bindir: string): Dirent[] {
  try {
    return readdirSync(bindir, { withFileTypes: true })
  } catch (cause) {
    throw notARuntime(bindir, 'missing', 'the directory cannot be read', cause)
  }
}

function isPgWrapper(bindir: string, { name }: Dirent): boolean {
  if (!wrapped.test(name)) return false
  try {
    return basename(readlinkSync(join(bindir, name))) === 'pg_wrapper'
  } catch {
    return false
  }
}
