import type { RuntimeProblem } from './runtime-problem.ts'

/** The codes of this package's errors. They are permanent: match on them, not on messages or classes. */
export type RuntimeErrorCode =
  | 'ERR_RUNTIME_CACHE_DIRECTORY'
  | 'ERR_RUNTIME_CONSTRAINT'
  | 'ERR_RUNTIME_DISK_FULL'
  | 'ERR_RUNTIME_INSTALL_FAILED'
  | 'ERR_RUNTIME_INTEGRITY'
  | 'ERR_RUNTIME_IN_USE'
  | 'ERR_RUNTIME_MUSL'
  | 'ERR_RUNTIME_NOT_A_RUNTIME'
  | 'ERR_RUNTIME_NOT_FOUND'
  | 'ERR_RUNTIME_NPM_MISSING'
  | 'ERR_RUNTIME_OFFLINE'
  | 'ERR_RUNTIME_PACKAGE'
  | 'ERR_RUNTIME_PROGRAM_MISSING'
  | 'ERR_RUNTIME_UNKNOWN_VERSION'
  | 'ERR_RUNTIME_UNREACHABLE'
  | 'ERR_RUNTIME_UNSUPPORTED_PLATFORM'
  | 'ERR_RUNTIME_UNTRUSTED_DIRECTORY'
  | 'ERR_RUNTIME_VERSION'

/** A `Version` or `PartialVersion`. Those classes throw these errors, so this module does not import them. */
interface SomeVersion {
  readonly major: number
  toString(): string
}

/** A runtime that was found but is not the wanted one. */
interface Found {
  readonly version: SomeVersion
  readonly bindir: string
}

/** The fields of an error, so that programs need not parse its message. Each code always has the same fields. */
type Fields = Omit<RuntimeError, keyof Error | 'code'>

/** An error of this package, with a permanent code and a message that ends in a remedy. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError'
  readonly code: RuntimeErrorCode
  /** The directory or package at fault, which may be an ancestor of the one that was asked for. */
  declare readonly path?: string | undefined
  /** The directory of the runtime's programs. */
  declare readonly bindir?: string | undefined
  /** `ERR_RUNTIME_NOT_A_RUNTIME`: why the directory is not a runtime. */
  declare readonly problem?: RuntimeProblem | undefined
  /** `ERR_RUNTIME_PROGRAM_MISSING`: the missing program. */
  declare readonly program?: string | undefined
  /** `ERR_RUNTIME_PROGRAM_MISSING`: the programs of the runtime. */
  declare readonly programs?: readonly string[] | undefined
  /**
   * `ERR_RUNTIME_NOT_FOUND`, `ERR_RUNTIME_UNKNOWN_VERSION`: the wanted version; `null` if any version would have been
   * accepted.
   */
  declare readonly wanted?: string | null | undefined
  /** `ERR_RUNTIME_NOT_FOUND`: the runtimes that were found. */
  declare readonly found?: readonly Found[] | undefined
  /** `ERR_RUNTIME_UNKNOWN_VERSION`: the newest version of each available major. */
  declare readonly available?: readonly string[] | undefined
  /** `ERR_RUNTIME_CONSTRAINT`, `ERR_RUNTIME_VERSION`: the text that could not be read. */
  declare readonly text?: string | undefined
  /** `ERR_RUNTIME_UNSUPPORTED_PLATFORM`: the operating system, in some cases with the processor. */
  declare readonly platform?: string | undefined
  /** `ERR_RUNTIME_UNTRUSTED_DIRECTORY`: what to do about it. */
  declare readonly remedy?: string | undefined
  /** `ERR_RUNTIME_IN_USE`: the processes that run its programs. */
  declare readonly pids?: readonly number[] | undefined
  /** `ERR_RUNTIME_INSTALL_FAILED`: npm's own code, such as E401; `null` if it gave none. */
  declare readonly npmCode?: string | null | undefined

  constructor(
    code: RuntimeErrorCode,
    message: string,
    { cause, ...fields }: ErrorOptions & Fields = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    Object.assign(this, fields)
  }
}

/** The error for a text that is not a version of PostgreSQL. */
export function notAVersion(text: string, expected: string): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_VERSION',
    `${JSON.stringify(text.slice(0, 200))} is not ${expected}`,
    { text },
  )
}

/** The error for a text that is not a constraint, or that could never match. */
export function notAConstraint(text: string, problem: string, cause?: unknown): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_CONSTRAINT',
    `${JSON.stringify(text.slice(0, 200))} does not say which PostgreSQL: ${problem}`,
    { cause, text },
  )
}

/** An error of code `ERR_RUNTIME_NOT_A_RUNTIME`. */
export type NotARuntime = RuntimeError & {
  readonly bindir: string
  readonly problem: RuntimeProblem
}

/** The error for a directory without a PostgreSQL that runs here. */
export function notARuntime(
  bindir: string,
  problem: RuntimeProblem,
  detail: string,
  cause?: unknown,
): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_NOT_A_RUNTIME',
    `no PostgreSQL can be run from ${bindir}: ${detail}`,
    { cause, bindir, problem },
  )
}

/** Whether an error says that a directory has no PostgreSQL that runs here. */
export function isNotARuntime(error: unknown): error is NotARuntime {
  return error instanceof RuntimeError && error.code === 'ERR_RUNTIME_NOT_A_RUNTIME'
}

/** The problem that a search for a runtime reports for an error. */
export function problemOf({ code, problem }: RuntimeError): RuntimeProblem {
  return problem ?? (code === 'ERR_RUNTIME_UNTRUSTED_DIRECTORY' ? 'untrusted' : 'unusable')
}

/** The error for a missing program. Bundled runtimes have only the server's programs. */
export function programMissing(
  program: string,
  { bindir, version, programs: names }: Found & { readonly programs: Iterable<string> },
): RuntimeError {
  const programs = [...names].toSorted((left, right) => left.localeCompare(right))
  const listed =
    programs.length > 40
      ? `${programs.slice(0, 40).join(', ')} and ${programs.length - 40} more`
      : programs.join(', ')
  return new RuntimeError(
    'ERR_RUNTIME_PROGRAM_MISSING',
    `PostgreSQL ${version.toString()} at ${bindir} has no ${program}, only ${listed}; ` +
      `install PostgreSQL's client programs, and choose a runtime that has them`,
    { program, bindir, programs },
  )
}

/**
 * The error to throw if a strategy gives no runtime: `ERR_RUNTIME_NOT_FOUND`.
 *
 * `wanted` is the wanted version, or `null` if any version would have been accepted; `found` lists the runtimes that exist.
 */
export function noRuntime(
  wanted: SomeVersion | string | null,
  found: readonly Found[] = [],
): RuntimeError {
  const text = wanted?.toString() ?? null
  const isPath = text?.includes('/') === true
  const what = text === null || isPath ? '' : ` ${text}`
  const where = isPath ? ` at ${text}` : ''
  const instead = found.map(({ version, bindir }) => `${version.toString()} at ${bindir}`)
  const but = instead.length === 0 ? '' : `: found ${instead.join(', ')}`
  return new RuntimeError(
    'ERR_RUNTIME_NOT_FOUND',
    `no PostgreSQL${what} found${where}${but}; ${howToInstall(text)}`,
    { wanted: text, found },
  )
}

function howToInstall(wanted: string | null): string {
  if (wanted === null) return 'install one with `howdah runtimes install 18`'
  const major = Number(/^\d+(?![\w/])/.exec(wanted)?.[0])
  if (major >= 10) return `install one with \`howdah runtimes install ${major}\``
  return 'install one with the package manager of your system'
}

/** The error for an operating system or processor that is not supported. */
export function unsupportedPlatform(what: string, platform: string, remedy: string): RuntimeError {
  return new RuntimeError('ERR_RUNTIME_UNSUPPORTED_PLATFORM', `${what} on ${platform}; ${remedy}`, {
    platform,
  })
}

/** The error for a directory that should be an npm package with PostgreSQL but is not. */
export function packageDamaged(path: string, problem: string, cause?: unknown): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_PACKAGE',
    `PostgreSQL cannot be taken from the package at ${path}: ${problem}; reinstall the package`,
    { cause, path },
  )
}

/** The error for a directory of the cache that cannot be made, read or written. */
export function cacheUnusable(path: string, problem: string, cause?: unknown): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_CACHE_DIRECTORY',
    `${path} cannot be used as a cache: ${problem}; set HOWDAH_CACHE_DIR to a directory that can be written`,
    { cause, path },
  )
}

/** The error for a directory into which others could put programs that we would run. */
export function untrusted(path: string, problem: string, remedy: string): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_UNTRUSTED_DIRECTORY',
    `programs kept below ${path} are not trusted: ${problem}; ${remedy}`,
    { path, remedy },
  )
}

/** The error if the server's user cannot reach the cache at `target`, because the user may not enter `path`. */
export function unreachable(path: string, target: string, user: string): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_UNREACHABLE',
    `${user} cannot run programs below ${target}, because ${path} is closed to other users; ` +
      `run chmod o+x ${path}, or set HOWDAH_CACHE_DIR to a directory that everybody can enter`,
    { path },
  )
}

/** The error for a runtime that cannot be removed because its programs are running. */
export function runtimeInUse(bindir: string, pids: readonly number[]): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_IN_USE',
    `the PostgreSQL at ${bindir} is run by process ${pids.join(', ')}; stop that first`,
    { bindir, pids },
  )
}
