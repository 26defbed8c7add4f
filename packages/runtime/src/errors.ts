import { RuntimeError } from './runtime-error.ts'
import type { RuntimeProblem } from './runtime-problem.ts'
import type { PartialVersion } from './version/partial-version.ts'
import type { Version } from './version/version.ts'

/** `ERR_RUNTIME_CONSTRAINT`: a text is no constraint, or one that could never match. */
export class ConstraintError extends RuntimeError {
  readonly text: string

  constructor(text: string, problem: string, options?: { cause?: unknown }) {
    super(
      'ERR_RUNTIME_CONSTRAINT',
      `${JSON.stringify(text.slice(0, 200))} does not say which PostgreSQL: ${problem}`,
      options,
    )
    this.text = text
  }
}

/** `ERR_RUNTIME_NOT_A_RUNTIME`: a directory does not hold a PostgreSQL that runs here. */
export class NotARuntimeError extends RuntimeError {
  readonly bindir: string
  readonly problem: RuntimeProblem

  constructor(
    bindir: string,
    problem: RuntimeProblem,
    detail: string,
    options?: { cause?: unknown },
  ) {
    super(
      'ERR_RUNTIME_NOT_A_RUNTIME',
      `no PostgreSQL can be run from ${bindir}: ${detail}`,
      options,
    )
    this.bindir = bindir
    this.problem = problem
  }
}

/** `ERR_RUNTIME_PROGRAM_MISSING`: a runtime lacks a program; the bundled ones have only the server's. */
export class ProgramMissingError extends RuntimeError {
  readonly program: string
  readonly bindir: string
  readonly programs: readonly string[]

  constructor(program: string, bindir: string, version: Version, programs: Iterable<string>) {
    const all = [...programs].toSorted((left, right) => left.localeCompare(right))
    const listed =
      all.length > 40
        ? `${all.slice(0, 40).join(', ')} and ${all.length - 40} more`
        : all.join(', ')
    super(
      'ERR_RUNTIME_PROGRAM_MISSING',
      `PostgreSQL ${version.toString()} at ${bindir} has no ${program}, only ${listed}; ` +
        `install PostgreSQL's client programs, and choose a runtime that has them`,
    )
    this.program = program
    this.bindir = bindir
    this.programs = all
  }
}

/** `ERR_RUNTIME_NOT_FOUND`: there is no PostgreSQL here, or none such as is wanted. */
export class NoRuntimeError extends RuntimeError {
  /** What was asked for; `null` if any would have done. */
  readonly wanted: string | null
  /** What there was instead. */
  readonly found: readonly { readonly version: Version; readonly bindir: string }[]

  constructor(
    wanted: PartialVersion | Version | string | null,
    found: readonly { readonly version: Version; readonly bindir: string }[] = [],
  ) {
    const text = wanted?.toString() ?? null
    const what = text === null ? '' : text.includes('/') ? ` at ${text}` : ` ${text}`
    const instead = found
      .map(({ version, bindir }) => `${version.toString()} at ${bindir}`)
      .join(', ')
    super(
      'ERR_RUNTIME_NOT_FOUND',
      `no PostgreSQL${what} found${instead && `: found ${instead}`}; ${NoRuntimeError.#remedy(wanted)}`,
    )
    this.wanted = text
    this.found = found
  }

  static #remedy(wanted: PartialVersion | Version | string | null): string {
    if (wanted === null) return 'install one with `howdah runtimes install 18`'
    const major = Number(/^\d+(?![\w/])/.exec(wanted.toString())?.[0])
    if (major >= 10) return `install one with \`howdah runtimes install ${major}\``
    return 'install one with the package manager of your system'
  }
}

/** `ERR_RUNTIME_UNSUPPORTED_PLATFORM`: nothing here can be done on this operating system or processor. */
export class UnsupportedPlatformError extends RuntimeError {
  readonly platform: string

  constructor(what: string, platform: string, remedy: string) {
    super('ERR_RUNTIME_UNSUPPORTED_PLATFORM', `${what} on ${platform}; ${remedy}`)
    this.platform = platform
  }
}

/** `ERR_RUNTIME_PACKAGE`: a directory is not the npm package with PostgreSQL in it that it should be. */
export class PackageError extends RuntimeError {
  readonly path: string

  constructor(path: string, problem: string, options?: { cause?: unknown }) {
    super(
      'ERR_RUNTIME_PACKAGE',
      `PostgreSQL cannot be taken from the package at ${path}: ${problem}; reinstall the package`,
      options,
    )
    this.path = path
  }
}

/** `ERR_RUNTIME_CACHE_DIRECTORY`: a directory of the cache cannot be made, read or written. */
export class CacheDirectoryError extends RuntimeError {
  readonly path: string

  constructor(path: string, problem: string, options?: { cause?: unknown }) {
    super(
      'ERR_RUNTIME_CACHE_DIRECTORY',
      `${path} cannot be used as a cache: ${problem}; set HOWDAH_CACHE_DIR to a directory that can be written`,
      options,
    )
    this.path = path
  }
}

/**
 * `ERR_RUNTIME_UNTRUSTED_DIRECTORY`: others could put programs into a directory from which we would run them.
 *
 * `path` is the one at fault, which may be an ancestor of the one that was asked for.
 */
export class UntrustedDirectoryError extends RuntimeError {
  readonly path: string
  readonly remedy: string

  constructor(path: string, problem: string, remedy: string) {
    super(
      'ERR_RUNTIME_UNTRUSTED_DIRECTORY',
      `programs kept below ${path} are not trusted: ${problem}; ${remedy}`,
    )
    this.path = path
    this.remedy = remedy
  }
}

/** `ERR_RUNTIME_UNREACHABLE`: the user who is to run the server cannot get to the cache. */
export class UnreachableError extends RuntimeError {
  /** The directory that the user does not get through. */
  readonly path: string

  constructor(path: string, target: string, user: string) {
    super(
      'ERR_RUNTIME_UNREACHABLE',
      `${user} cannot run programs below ${target}, because ${path} lets nobody else through; ` +
        `chmod o+x it, or set HOWDAH_CACHE_DIR to a directory that everybody gets to`,
    )
    this.path = path
  }
}

/** `ERR_RUNTIME_IN_USE`: a runtime that is to be removed is being run. */
export class RuntimeInUseError extends RuntimeError {
  readonly bindir: string
  readonly pids: readonly number[]

  constructor(bindir: string, pids: readonly number[]) {
    super(
      'ERR_RUNTIME_IN_USE',
      `the PostgreSQL at ${bindir} is being run by process ${pids.join(', ')}; stop it first`,
    )
    this.bindir = bindir
    this.pids = pids
  }
}
