import { RuntimeError } from '../runtime-error.ts'

/** `ERR_RUNTIME_OFFLINE`: npm does not reach its registry. */
export class OfflineError extends RuntimeError {
  constructor(what: string, detail: string, options?: { cause?: unknown }) {
    super(
      'ERR_RUNTIME_OFFLINE',
      `${what} needs npm's registry, and npm does not reach it (${detail}); ` +
        'check the network, the proxy and the registry in `npm config list`',
      options,
    )
  }
}

/** `ERR_RUNTIME_UNKNOWN_VERSION`: the registry has no PostgreSQL of that version for this platform. */
export class UnknownVersionError extends RuntimeError {
  readonly wanted: string
  /** The newest of each major that there is. */
  readonly available: readonly string[]

  constructor(wanted: string, available: readonly string[], options?: { cause?: unknown }) {
    super(
      'ERR_RUNTIME_UNKNOWN_VERSION',
      `there is no PostgreSQL ${wanted} to install` +
        (available.length > 0 ? `; there are ${available.join(', ')}` : ''),
      options,
    )
    this.wanted = wanted
    this.available = available
  }
}

/** `ERR_RUNTIME_MUSL`: the packages need glibc, and this is a musl system, such as Alpine. */
export class MuslError extends RuntimeError {
  constructor() {
    super(
      'ERR_RUNTIME_MUSL',
      'the PostgreSQL packages are built for glibc, and this system has musl; ' +
        "install the system's own, on Alpine with `apk add postgresql`",
    )
  }
}

/** `ERR_RUNTIME_NPM_MISSING`: there is no npm to install with. */
export class NpmMissingError extends RuntimeError {
  constructor(options?: { cause?: unknown }) {
    super(
      'ERR_RUNTIME_NPM_MISSING',
      'PostgreSQL is installed through npm, and there is no npm on PATH or beside node; ' +
        'install npm, which comes with Node, or add the package @howdah/postgres to your project',
      options,
    )
  }
}

/** `ERR_RUNTIME_DISK_FULL`: there is no room for it, or a quota is used up. */
export class DiskFullError extends RuntimeError {
  readonly path: string

  constructor(path: string, options?: { cause?: unknown }) {
    super(
      'ERR_RUNTIME_DISK_FULL',
      `there is no room for PostgreSQL (about 150 MB while it is installed) at ${path}, or in npm's cache; ` +
        'free some, or set HOWDAH_CACHE_DIR to a directory on another disk',
      options,
    )
    this.path = path
  }
}

/** `ERR_RUNTIME_INTEGRITY`: what was downloaded is not what the registry says it is. */
export class IntegrityError extends RuntimeError {
  constructor(specifier: string, detail: string, options?: { cause?: unknown }) {
    super(
      'ERR_RUNTIME_INTEGRITY',
      `npm refused ${specifier}, because it is not what the registry's hash says (${detail}); ` +
        'try `npm cache verify`, and if it stays so, do not trust the registry or the proxy in between',
      options,
    )
  }
}

/** `ERR_RUNTIME_INSTALL_FAILED`: npm failed in another way. */
export class InstallError extends RuntimeError {
  /** npm's own code, such as E401, if it gave one. */
  readonly npmCode: string | null

  constructor(what: string, npmCode: string | null, detail: string, options?: { cause?: unknown }) {
    super(
      'ERR_RUNTIME_INSTALL_FAILED',
      `${what} failed in npm${npmCode === null ? '' : ` with ${npmCode}`}: ${detail}`,
      options,
    )
    this.npmCode = npmCode
  }
}
