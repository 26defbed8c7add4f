/** The codes of all errors about a cluster, of this package and those above it. They are permanent: match on them, not on messages. */
export type ClusterErrorCode =
  | 'ERR_CLUSTER_ARCHIVE_FAILED'
  | 'ERR_CLUSTER_BACKUP_DAMAGED'
  | 'ERR_CLUSTER_BACKUP_DIRECTORY'
  | 'ERR_CLUSTER_BACKUP_UNSUPPORTED'
  | 'ERR_CLUSTER_CONTROL_FILE'
  | 'ERR_CLUSTER_CREATE_FAILED'
  | 'ERR_CLUSTER_DENIED'
  | 'ERR_CLUSTER_DISK_FULL'
  | 'ERR_CLUSTER_FOREIGN_ARCHIVING'
  | 'ERR_CLUSTER_INIT_FAILED'
  | 'ERR_CLUSTER_INVALID_PATH'
  | 'ERR_CLUSTER_INVALID_SETTING'
  | 'ERR_CLUSTER_INVALID_TARGET'
  | 'ERR_CLUSTER_INVALID_TEMPLATE'
  | 'ERR_CLUSTER_INVALID_URL'
  | 'ERR_CLUSTER_IN_USE'
  | 'ERR_CLUSTER_LIMIT'
  | 'ERR_CLUSTER_MALFORMED_VERSION'
  | 'ERR_CLUSTER_MISSING'
  | 'ERR_CLUSTER_NESTED'
  | 'ERR_CLUSTER_NOT_EMPTY'
  | 'ERR_CLUSTER_NOT_OURS'
  | 'ERR_CLUSTER_NOT_READY'
  | 'ERR_CLUSTER_NOT_RUNNING'
  | 'ERR_CLUSTER_NOT_SAFE'
  | 'ERR_CLUSTER_NO_BACKUP'
  | 'ERR_CLUSTER_NO_PROC'
  | 'ERR_CLUSTER_NO_SUPERUSER'
  | 'ERR_CLUSTER_NO_TCP'
  | 'ERR_CLUSTER_NO_TLS'
  | 'ERR_CLUSTER_OTHER_SUPERUSER'
  | 'ERR_CLUSTER_PERMISSION'
  | 'ERR_CLUSTER_PORT_TAKEN'
  | 'ERR_CLUSTER_READ_ONLY'
  | 'ERR_CLUSTER_RECOVERY_FAILED'
  | 'ERR_CLUSTER_RELOAD_FAILED'
  | 'ERR_CLUSTER_RESTART_NEEDED'
  | 'ERR_CLUSTER_SERVER_USER'
  | 'ERR_CLUSTER_SETTING_REFUSED'
  | 'ERR_CLUSTER_START_FAILED'
  | 'ERR_CLUSTER_STOP_FAILED'
  | 'ERR_CLUSTER_TARGET_NOT_REACHED'
  | 'ERR_CLUSTER_TCP_LOGIN'
  | 'ERR_CLUSTER_TEMPLATE_IN_USE'
  | 'ERR_CLUSTER_TEMPORARY_PLACE'
  | 'ERR_CLUSTER_UNKNOWN_SETTING'
  | 'ERR_CLUSTER_UNKNOWN_START'
  | 'ERR_CLUSTER_UNKNOWN_STATUS'
  | 'ERR_CLUSTER_UNSUPPORTED_VERSION'

/** A process that uses a cluster, as far as the kernel tells. */
export interface ClusterUser {
  readonly pid: number
  readonly command: string | null
}

/** What an error knows in fields, so that nobody has to read its message. A code always comes with the same ones. */
export type ClusterErrorFields = Omit<ClusterError, keyof Error | 'code' | 'dataDir'>

/** What every error about a cluster is: a permanent code, the data directory, and a message that ends in a remedy. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError'
  /** Permanent and safe to match on, such as `ERR_CLUSTER_START_FAILED`; the README has the table. */
  readonly code: ClusterErrorCode
  /** The data directory that it is about. */
  readonly dataDir: string
  /** The file or directory that is to blame: damaged, closed, read-only, or without room. */
  declare readonly path?: string | undefined
  /** What was found instead: names in the directory, or what archives the WAL now. */
  declare readonly found?: string | readonly string[] | undefined
  /** `ERR_CLUSTER_NESTED`: the directory in the way, or the name of what else has registered that it writes there. */
  declare readonly owner?: string | undefined
  /** The process that did not stop, or that writes there; `null` if no process does. */
  declare readonly pid?: number | null | undefined
  /** `ERR_CLUSTER_IN_USE`: the processes that use the cluster. */
  declare readonly users?: readonly ClusterUser[] | undefined
  /** `ERR_CLUSTER_LIMIT`: the system's own code, such as `EMFILE`. `ERR_CLUSTER_DENIED`: what is denied. */
  declare readonly refusal?: string | undefined
  /** `ERR_CLUSTER_CREATE_FAILED`: what initdb printed. */
  declare readonly output?: string | undefined
  /** What the server wrote to its log meanwhile. */
  declare readonly log?: string | undefined
  /** The name of the setting. */
  declare readonly setting?: string | undefined
  /** `ERR_CLUSTER_ARCHIVE_FAILED`: the WAL file that could not be archived. */
  declare readonly walFile?: string | undefined
  /** `ERR_CLUSTER_TARGET_NOT_REACHED`: the last record in the archive, as PostgreSQL prints it. */
  declare readonly lsn?: string | null | undefined
  /** `ERR_CLUSTER_TARGET_NOT_REACHED`: when the last transaction in the archive ended, as PostgreSQL prints it. */
  declare readonly lastTransaction?: string | null | undefined
  /** `ERR_CLUSTER_BACKUP_DAMAGED`: what is wrong with the file. */
  declare readonly why?: string | undefined

  constructor(
    code: ClusterErrorCode,
    dataDir: string,
    message: string,
    { cause, ...fields }: ErrorOptions & ClusterErrorFields = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.dataDir = dataDir
    Object.assign(this, fields)
  }
}
