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

/** A `Version` or `PartialVersion`. They throw these errors, so they are not named here. */
interface SomeVersion {
  readonly major: number
  toString(): string
}

/** A runtime that was found instead of the wanted one. */
interface Found {
  readonly version: SomeVersion
  readonly bindir: string
}

/** What an error knows in fields, so that nobody has to read its message. A code always comes with the same ones. */
type Fields = Omit<RuntimeError, keyof Error | 'code'>

/** What every error of this package is: a permanent code, and a message that ends in a remedy. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError'
  readonly code: RuntimeErrorCode
  /** The directory or package that is to blame, which may be an ancestor of the one that was asked for. */
  declare readonly path?: string | undefined
  /** The directory of the runtime's programs. */
  declare readonly bindir?: string | undefined
  /** `ERR_RUNTIME_NOT_A_RUNTIME`: why it is none. */
  declare readonly problem?: RuntimeProblem | undefined
  /** `ERR_RUNTIME_PROGRAM_MISSING`: the program that the runtime lacks. */
  declare readonly program?: string | undefined
  /** `ERR_RUNTIME_PROGRAM_MISSING`: the programs that it has. */
  declare readonly programs?: readonly string[] | undefined
  /** `ERR_RUNTIME_NOT_FOUND`, `ERR_RUNTIME_UNKNOWN_VERSION`: what was asked for; `null` if any version would have done. */
  declare readonly wanted?: string | null | undefined
  /** `ERR_RUNTIME_NOT_FOUND`: what there was instead. */
  declare readonly found?: readonly Found[] | undefined
  /** `ERR_RUNTIME_UNKNOWN_VERSION`: the newest of each major that there is. */
  declare readonly available?: readonly string[] | undefined
  /** `ERR_RUNTIME_CONSTRAINT`, `ERR_RUNTIME_VERSION`: the text that was to be read. */
  declare readonly text?: string | undefined
  /** `ERR_RUNTIME_UNSUPPORTED_PLATFORM`: the operating system, with or without the processor. */
  declare readonly platform?: string | undefined
  /** `ERR_RUNTIME_UNTRUSTED_DIRECTORY`: what to do about it. */
  declare readonly remedy?: string | undefined
  /** `ERR_RUNTIME_IN_USE`: the processes that run from it. */
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

/** A text is not a version of PostgreSQL. */
export function notAVersion(text: string, expected: string): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_VERSION',
    `${JSON.stringify(text.slice(0, 200))} is not ${expected}`,
    { text },
  )
}

/** A text is not a constraint, or one that could never match. */
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

/** A directory does not hold a PostgreSQL that runs here. */
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

/** Whether an error says that a directory does not hold a PostgreSQL that runs here. */
export function isNotARuntime(error: unknown): error is NotARuntime {
  return error instanceof RuntimeError && error.code === 'ERR_RUNTIME_NOT_A_RUNTIME'
}

/** What an error means to a search for a runtime. */
export function problemOf({ code, problem }: RuntimeError): RuntimeProblem {
  return problem ?? (code === 'ERR_RUNTIME_UNTRUSTED_DIRECTORY' ? 'untrusted' : 'unusable')
}

/** A runtime lacks a program; the bundled ones have only the server's. */
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
 * `wanted` is what was asked for, `null` if any version would have done; `found` is what there is instead.
 */
export function noRuntime(
  wanted: SomeVersion | string | null,
  found: readonly Found[] = [],
): RuntimeError {
  const text = wanted?.toString() ?? null
  const what = text === null ? '' : text.includes('/') ? ` at ${text}` : ` ${text}`
  const instead = found.map(({ version, bindir }) => `${version.toString()} at ${bindir}`)
  const but = instead.length === 0 ? '' : `: found ${instead.join(', ')}`
  return new RuntimeError(
    'ERR_RUNTIME_NOT_FOUND',
    `no PostgreSQL${what} found${but}; ${howToInstall(text)}`,
    { wanted: text, found },
  )
}

function howToInstall(wanted: string | null): string {
  if (wanted === null) return 'install one with `howdah runtimes install 18`'
  const major = Number(/^\d+(?![\w/])/.exec(wanted)?.[0])
  if (major >= 10) return `install one with \`howdah runtimes install ${major}\``
  return 'install one with the package manager of your system'
}

/** Nothing here can be done on this operating system or processor. */
export function unsupportedPlatform(what: string, platform: string, remedy: string): RuntimeError {
  return new RuntimeError('ERR_RUNTIME_UNSUPPORTED_PLATFORM', `${what} on ${platform}; ${remedy}`, {
    platform,
  })
}

/** A directory is not the npm package with PostgreSQL in it that it should be. */
export function packageDamaged(path: string, problem: string, cause?: unknown): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_PACKAGE',
    `PostgreSQL cannot be taken from the package at ${path}: ${problem}; reinstall the package`,
    { cause, path },
  )
}

/** A directory of the cache cannot be made, read or written. */
export function cacheUnusable(path: string, problem: string, cause?: unknown): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_CACHE_DIRECTORY',
    `${path} cannot be used as a cache: ${problem}; set HOWDAH_CACHE_DIR to a directory that can be written`,
    { cause, path },
  )
}

/** Others could put programs into a directory from which we would run them. */
export function untrusted(path: string, problem: string, remedy: string): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_UNTRUSTED_DIRECTORY',
    `programs kept below ${path} are not trusted: ${problem}; ${remedy}`,
    { path, remedy },
  )
}

/** The user who is to run the server cannot get to the cache at `target`: `path` does not let that user through. */
export function unreachable(path: string, target: string, user: string): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_UNREACHABLE',
    `${user} cannot run programs below ${target}, because ${path} lets nobody else through; ` +
      `chmod o+x it, or set HOWDAH_CACHE_DIR to a directory that everybody gets to`,
    { path },
  )
}

/** A runtime that is to be removed is being run. */
export function runtimeInUse(bindir: string, pids: readonly number[]): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_IN_USE',
    `the PostgreSQL at ${bindir} is being run by process ${pids.join(', ')}; stop it first`,
    { bindir, pids },
  )
}
