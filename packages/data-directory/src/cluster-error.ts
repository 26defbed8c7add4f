/**
 * The codes of all errors about a cluster, in this package and in the packages that stand on it. They are permanent: match
 * on them, not on messages.
 */
export type ClusterErrorCode =
  | 'ERR_CLUSTER_ARCHIVE_FAILED'
  | 'ERR_CLUSTER_BACKUP_DAMAGED'
  | 'ERR_CLUSTER_BACKUP_DIRECTORY'
  | 'ERR_CLUSTER_BACKUP_UNSUPPORTED'
  | 'ERR_CLUSTER_BRANCH_EXISTS'
  | 'ERR_CLUSTER_BRANCH_MISSING'
  | 'ERR_CLUSTER_CONTROL_FILE'
  | 'ERR_CLUSTER_CREATE_FAILED'
  | 'ERR_CLUSTER_DATABASE_IN_USE'
  | 'ERR_CLUSTER_DATABASE_MISSING'
  | 'ERR_CLUSTER_DATABASE_NEEDED'
  | 'ERR_CLUSTER_DENIED'
  | 'ERR_CLUSTER_DISK_FULL'
  | 'ERR_CLUSTER_FOREIGN_ARCHIVING'
  | 'ERR_CLUSTER_INIT_FAILED'
  | 'ERR_CLUSTER_INVALID_BRANCH'
  | 'ERR_CLUSTER_INVALID_PATH'
  | 'ERR_CLUSTER_INVALID_SETTING'
  | 'ERR_CLUSTER_INVALID_SNAPSHOT'
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
  | 'ERR_CLUSTER_OTHER_VERSION'
  | 'ERR_CLUSTER_PERMISSION'
  | 'ERR_CLUSTER_PORT_TAKEN'
  | 'ERR_CLUSTER_READ_ONLY'
  | 'ERR_CLUSTER_RECOVERY_FAILED'
  | 'ERR_CLUSTER_RELOAD_FAILED'
  | 'ERR_CLUSTER_RESTART_NEEDED'
  | 'ERR_CLUSTER_SERVER_USER'
  | 'ERR_CLUSTER_SETTING_REFUSED'
  | 'ERR_CLUSTER_SNAPSHOT_EXISTS'
  | 'ERR_CLUSTER_SNAPSHOT_MISSING'
  | 'ERR_CLUSTER_START_FAILED'
  | 'ERR_CLUSTER_STOP_FAILED'
  | 'ERR_CLUSTER_TARGET_NOT_REACHED'
  | 'ERR_CLUSTER_SOCKET_LOGIN'
  | 'ERR_CLUSTER_TCP_LOGIN'
  | 'ERR_CLUSTER_TEMPLATE_IN_USE'
  | 'ERR_CLUSTER_TEMPORARY_PLACE'
  | 'ERR_CLUSTER_UNKNOWN_SETTING'
  | 'ERR_CLUSTER_UNKNOWN_START'
  | 'ERR_CLUSTER_UNKNOWN_STATUS'
  | 'ERR_CLUSTER_UNSUPPORTED_VERSION'

/** A process that uses a cluster, according to the kernel. */
export interface ClusterUser {
  readonly pid: number
  readonly command: string | null
}

/** A client or another process of the server that uses a database, or a prepared transaction in it. */
export interface DatabaseUser {
  /** The pid of its backend; `null` for a prepared transaction. */
  readonly pid: number | null
  /** Its `application_name`, the kind of the server's process, or the identifier of the transaction. */
  readonly application: string
  /** The role. */
  readonly user: string | null
  /** `idle`, `active`, `idle in transaction`, … */
  readonly state: string
  readonly since: Date
}

/** The fields of an error, so that no program has to parse its message. Errors of one code always have the same fields. */
export type ClusterErrorFields = Omit<ClusterError, keyof Error | 'code' | 'dataDir'>

/**
 * The class of all errors about a cluster. An error has a permanent code, the data directory, and a message that ends in a
 * remedy.
 */
export class ClusterError extends Error {
  override readonly name = 'ClusterError'
  /** Permanent and safe to match on, such as `ERR_CLUSTER_START_FAILED`; the README has the table. */
  readonly code: ClusterErrorCode
  /** The data directory that the error is about. */
  readonly dataDir: string
  /** The file or directory that caused the error: it is damaged, closed, read-only, or without room. */
  declare readonly path?: string | undefined
  /** What was found instead: the names in the directory, or the present archiver of the WAL. */
  declare readonly found?: string | readonly string[] | undefined
  /** `ERR_CLUSTER_NESTED`: the conflicting directory, or the name of the program that has registered that it writes there. */
  declare readonly owner?: string | undefined
  /** The process that did not stop, or that writes there; `null` if there is none. */
  declare readonly pid?: number | null | undefined
  /** `ERR_CLUSTER_IN_USE`: the processes that use the cluster. */
  declare readonly users?: readonly ClusterUser[] | undefined
  /** The database that the error is about. */
  declare readonly database?: string | undefined
  /** `ERR_CLUSTER_DATABASE_IN_USE`, `ERR_CLUSTER_TEMPLATE_IN_USE`: what uses the database. */
  declare readonly clients?: readonly DatabaseUser[] | undefined
  /** `ERR_CLUSTER_LIMIT`: the system's code, such as `EMFILE`. `ERR_CLUSTER_DENIED`: the denied action. */
  declare readonly refusal?: string | undefined
  /** `ERR_CLUSTER_CREATE_FAILED`: the output of initdb. */
  declare readonly output?: string | undefined
  /** The text that the server wrote to its log meanwhile. */
  declare readonly log?: string | undefined
  /** The name of the setting. */
  declare readonly setting?: string | undefined
  /** `ERR_CLUSTER_ARCHIVE_FAILED`: the WAL file that could not be archived. */
  declare readonly walFile?: string | undefined
  /** `ERR_CLUSTER_TARGET_NOT_REACHED`: the last record in the archive, as PostgreSQL prints it. */
  declare readonly lsn?: string | null | undefined
  /** `ERR_CLUSTER_TARGET_NOT_REACHED`: when the last transaction in the archive ended, as PostgreSQL prints it. */
  declare readonly lastTransaction?: string | null | undefined
  /** `ERR_CLUSTER_BACKUP_DAMAGED`: the damage of the file. */
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
