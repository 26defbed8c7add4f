/** What every error of this package has: a permanent code, the data directory, and a message that ends in a remedy. */
export class ClusterError extends Error {
  override readonly name: string = 'ClusterError'
  /** Permanent and safe to match on, such as `ERR_CLUSTER_START_FAILED`; the README has the table. */
  readonly code: string
  /** The data directory that it is about. */
  readonly dataDir: string

  constructor(code: string, dataDir: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.dataDir = dataDir
  }
}

/** The path cannot be that of a data directory: not valid UTF-8, or with a NUL in it. */
export class InvalidPathError extends ClusterError {
  override readonly name = 'InvalidPathError'

  constructor(dataDir: string, why: string) {
    super(
      'ERR_CLUSTER_INVALID_PATH',
      dataDir,
      `${JSON.stringify(dataDir)} cannot be a data directory: ${why}`,
    )
  }
}

/** `PG_VERSION` does not hold a version. */
export class MalformedVersionError extends ClusterError {
  override readonly name = 'MalformedVersionError'

  constructor(dataDir: string, content: string, options?: ErrorOptions) {
    const shown = JSON.stringify(content.slice(0, 40))
    super(
      'ERR_CLUSTER_MALFORMED_VERSION',
      dataDir,
      `${dataDir}/PG_VERSION holds ${shown}, which is no PostgreSQL version; restore the file from a backup`,
      options,
    )
  }
}

/** It cannot be told whether a server runs. Never taken for "stopped". */
export class UnknownStatusError extends ClusterError {
  override readonly name = 'UnknownStatusError'

  constructor(dataDir: string, why: string, options?: ErrorOptions) {
    super(
      'ERR_CLUSTER_UNKNOWN_STATUS',
      dataDir,
      `cannot tell whether a server runs on ${dataDir}: ${why}`,
      options,
    )
  }
}

/** A file or directory of the cluster may not be read, entered or written by whoever has to. */
export class PermissionError extends ClusterError {
  override readonly name = 'PermissionError'
  /** The path that is closed. */
  readonly path: string

  constructor(dataDir: string, path: string, message: string, options?: ErrorOptions) {
    super('ERR_CLUSTER_PERMISSION', dataDir, message, options)
    this.path = path
  }
}

/** `global/pg_control` is damaged, or of a version that is not known, so it was left as it is. */
export class ControlFileError extends ClusterError {
  override readonly name = 'ControlFileError'

  constructor(dataDir: string) {
    super(
      'ERR_CLUSTER_CONTROL_FILE',
      dataDir,
      `the checksum of ${dataDir}/global/pg_control is wrong, or the file is of an unknown version; restore the cluster from a backup`,
    )
  }
}

/** As root: no user is there to run the server as, or the one that was asked for is unknown. */
export class ServerUserError extends ClusterError {
  override readonly name = 'ServerUserError'

  constructor(dataDir: string, message: string) {
    super('ERR_CLUSTER_SERVER_USER', dataDir, message)
  }
}

/** There was no room for a copy of the cluster; what was made of it was removed again. */
export class DiskFullError extends ClusterError {
  override readonly name = 'DiskFullError'
  /** Where room is missing. */
  readonly path: string

  constructor(dataDir: string, path: string, bytes: number | null, options?: ErrorOptions) {
    const much = bytes === null ? 'room' : `${Math.ceil(bytes / 1e6)} MB`
    super(
      'ERR_CLUSTER_DISK_FULL',
      dataDir,
      `the disk is full at ${path}; free ${much} there, or use another place`,
      options,
    )
    this.path = path
  }
}
