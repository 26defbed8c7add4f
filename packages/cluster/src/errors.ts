import { isAbsolute } from 'node:path'
import { ClusterError } from '@howdah/data-directory'

/** There is no cluster at the data directory, and none was to be created. */
export class ClusterMissingError extends ClusterError {
  override readonly name = 'ClusterMissingError'

  constructor(dataDir: string) {
    super(
      'ERR_CLUSTER_MISSING',
      dataDir,
      `there is no PostgreSQL cluster in ${dataDir}; create one, or check the path`,
    )
  }
}

/** The cluster is there and no server runs on it, where a running one is needed. */
export class NotRunningError extends ClusterError {
  override readonly name = 'NotRunningError'

  constructor(dataDir: string) {
    super(
      'ERR_CLUSTER_NOT_RUNNING',
      dataDir,
      `no PostgreSQL server runs on ${dataDir}; start it first`,
    )
  }
}

/** The server runs, and let nobody in for too long: it starts, recovers from a crash, or shuts down. */
export class NotReadyError extends ClusterError {
  override readonly name = 'NotReadyError'

  constructor(dataDir: string, timeout: number, refusal: Error) {
    super(
      'ERR_CLUSTER_NOT_READY',
      dataDir,
      `the server on ${dataDir} has let nobody in for ${timeout} ms: ${refusal.message}; give it more time, or look into its log`,
      { cause: refusal },
    )
  }
}

/** The directory holds something that is no cluster; nothing in it was touched. */
export class NotEmptyError extends ClusterError {
  override readonly name = 'NotEmptyError'
  /** Some of the names found there. */
  readonly found: readonly string[]

  constructor(dataDir: string, found: readonly string[]) {
    const some = found.slice(0, 3).join(', ') + (found.length > 3 ? ', …' : '')
    super(
      'ERR_CLUSTER_NOT_EMPTY',
      dataDir,
      `${dataDir} holds other things (${some}) and was left alone; choose an empty or a new directory`,
    )
    this.found = found
  }
}

/** What is in the way of a path, and on which side of it the path lies. */
export interface Nesting {
  readonly owner: string
  readonly pid: number | null
  readonly side: 'in' | 'around'
  /** What is in the way; a cluster unless told otherwise. */
  readonly kind?: 'cluster' | 'backups' | undefined
}

const kinds = {
  cluster: 'the data directory of a cluster',
  backups: 'which holds the backups of a cluster',
} as const

/** The path lies where only a cluster's server may write, or around that; nothing was made there. */
export class NestedError extends ClusterError {
  override readonly name = 'NestedError'
  /** The data directory, or that of backups, in the way; or, by its name, what else has registered that it writes there. */
  readonly owner: string
  /** The process that writes there; `null` where there is none, as for a cluster whose server does not run. */
  readonly pid: number | null

  constructor(path: string, { owner, pid, side, kind = 'cluster' }: Nesting) {
    const who = pid === null ? '' : ` (pid ${pid})`
    const whose = isAbsolute(owner) ? `${owner}, ${kinds[kind]}` : `what ${owner} writes`
    super(
      'ERR_CLUSTER_NESTED',
      path,
      `cannot use ${path}: it lies ${side} ${whose}${who}; choose a directory apart from that`,
    )
    this.owner = owner
    this.pid = pid
  }
}

/** The cluster is of a version that this package does not run: older than 10. */
export class UnsupportedVersionError extends ClusterError {
  override readonly name = 'UnsupportedVersionError'

  constructor(dataDir: string, version: string) {
    super(
      'ERR_CLUSTER_UNSUPPORTED_VERSION',
      dataDir,
      `${dataDir} is a cluster of PostgreSQL ${version}, and only 10 and later are supported; dump it with its own programs`,
    )
  }
}

/** It cannot be told how a running server was started, so that it cannot be restarted like that. */
export class UnknownStartError extends ClusterError {
  override readonly name = 'UnknownStartError'

  constructor(dataDir: string, path: string, options?: ErrorOptions) {
    super(
      'ERR_CLUSTER_UNKNOWN_START',
      dataDir,
      `cannot tell how the server on ${dataDir} was started, for ${path} cannot be read or was changed; ` +
        'stop the server, and start it again',
      options,
    )
  }
}

/** The system has refused more files, processes or memory. */
export class SystemLimitError extends ClusterError {
  override readonly name = 'SystemLimitError'
  /** The system's own code, such as `EMFILE`. */
  readonly refusal: string

  constructor(
    dataDir: string,
    refusal: string,
    what: string,
    cure: string,
    options?: ErrorOptions,
  ) {
    super('ERR_CLUSTER_LIMIT', dataDir, `${what} (${refusal}), for ${dataDir}; ${cure}`, options)
    this.refusal = refusal
  }
}

/** Linux without a /proc. */
export class NoProcError extends ClusterError {
  override readonly name = 'NoProcError'

  constructor(dataDir: string, options?: ErrorOptions) {
    super(
      'ERR_CLUSTER_NO_PROC',
      dataDir,
      `there is no /proc here, by which the programs of PostgreSQL find their libraries, and root the files of a new cluster, ` +
        `so ${dataDir} cannot be used; mount it with: mount -t proc proc /proc`,
      options,
    )
  }
}

/** There is no place where temporary clusters could lie. */
export class TemporaryPlaceError extends ClusterError {
  override readonly name = 'TemporaryPlaceError'

  constructor(path: string, why: string, options?: ErrorOptions) {
    super(
      'ERR_CLUSTER_TEMPORARY_PLACE',
      path,
      `temporary clusters cannot lie in ${path}: ${why}; set HOWDAH_TEMPORARY_DIR to a directory that can be written`,
      options,
    )
  }
}

/** The file system is mounted read-only, and something would have to be written there. */
export class ReadOnlyError extends ClusterError {
  override readonly name = 'ReadOnlyError'
  /** What could not be written. */
  readonly path: string

  constructor(dataDir: string, path: string, options?: ErrorOptions) {
    super(
      'ERR_CLUSTER_READ_ONLY',
      dataDir,
      `cannot write ${path}: its file system is read-only; use a place that can be written, or mount it read-write`,
      options,
    )
    this.path = path
  }
}

/** initdb failed; what it had made was removed again. */
export class CreateFailedError extends ClusterError {
  override readonly name = 'CreateFailedError'
  /** What initdb printed. */
  readonly output: string

  constructor(dataDir: string, output: string, options?: ErrorOptions) {
    super(
      'ERR_CLUSTER_CREATE_FAILED',
      dataDir,
      `cannot create a cluster in ${dataDir}: ${indent(output)}`,
      options,
    )
    this.output = output
  }
}

/** The server ended before it was ready, or was not ready in time; none is left running. */
export class StartFailedError extends ClusterError {
  override readonly name = 'StartFailedError'
  /** What the server wrote to its log during this start. */
  readonly log: string

  constructor(dataDir: string, reason: string, log: string, options?: ErrorOptions) {
    super(
      'ERR_CLUSTER_START_FAILED',
      dataDir,
      `PostgreSQL did not start on ${dataDir}: ${reason}${log === '' ? '' : `; its log says: ${indent(log)}`}`,
      options,
    )
    this.log = log
  }
}

/** The server still runs after it was asked to stop. */
export class StopFailedError extends ClusterError {
  override readonly name = 'StopFailedError'
  readonly pid: number

  constructor(dataDir: string, pid: number, timeout: number) {
    super(
      'ERR_CLUSTER_STOP_FAILED',
      dataDir,
      `the server on ${dataDir} (pid ${pid}) has not stopped within ${timeout} ms; look into its log, and try again`,
    )
    this.pid = pid
  }
}

/** A process that uses the cluster, as far as the kernel tells. */
export interface ClusterUser {
  readonly pid: number
  readonly command: string | null
}

/** Others use the cluster, so it is neither stopped nor destroyed nor restarted. Try again, or force it. */
export class InUseError extends ClusterError {
  override readonly name = 'InUseError'
  readonly users: readonly ClusterUser[]

  constructor(dataDir: string, users: readonly ClusterUser[], wanted: string) {
    const who = users
      .map(({ pid, command }) => `pid ${pid}${command === null ? '' : ` (${command})`}`)
      .join(', ')
    super(
      'ERR_CLUSTER_IN_USE',
      dataDir,
      `cannot ${wanted} ${dataDir}: it is in use${who === '' ? '' : ` by ${who}`}; wait until they have left, or force it`,
    )
    this.users = users
  }
}

/** Howdah did not start the server, or did not create the cluster, so it is stopped or destroyed only when forced. */
export class NotOursError extends ClusterError {
  override readonly name = 'NotOursError'

  constructor(dataDir: string, wanted: 'stop' | 'destroy' | 'restart') {
    const what =
      wanted === 'destroy'
        ? `${dataDir} was not created`
        : `the server on ${dataDir} was not started`
    const cure =
      wanted === 'restart'
        ? 'restart it in the way in which it was started'
        : `to ${wanted} it all the same, force it`
    super('ERR_CLUSTER_NOT_OURS', dataDir, `${what} by howdah and was left alone; ${cure}`)
  }
}

/** No role is there that is superuser and can log in, or none could be found. */
export class NoSuperuserError extends ClusterError {
  override readonly name = 'NoSuperuserError'

  constructor(dataDir: string, output: string) {
    super(
      'ERR_CLUSTER_NO_SUPERUSER',
      dataDir,
      `found no superuser that can log in to ${dataDir}${output === '' ? '' : `; the server says: ${indent(output)}`}`,
    )
  }
}

/** The server that runs does not listen on TCP, and it cannot be restarted while others use it. */
export class NoTcpError extends ClusterError {
  override readonly name = 'NoTcpError'

  constructor(dataDir: string, why: string) {
    super('ERR_CLUSTER_NO_TCP', dataDir, `the server on ${dataDir} does not listen on TCP${why}`)
  }
}

/** The server refuses howdah's password over TCP, and it is not howdah's to set, or setting it does not help. */
export class TcpLoginError extends ClusterError {
  override readonly name = 'TcpLoginError'

  constructor(dataDir: string, refusal: Error | null) {
    super(
      'ERR_CLUSTER_TCP_LOGIN',
      dataDir,
      `cannot log in over TCP to the server on ${dataDir}: ${refusal?.message ?? 'howdah has no password there'}; ` +
        `put the role's password into ${dataDir}/howdah.password, and let pg_hba.conf admit it from 127.0.0.1, or use the socket`,
      { cause: refusal },
    )
  }
}

/** A setting's name is not one that PostgreSQL could know. */
export class InvalidSettingError extends ClusterError {
  override readonly name = 'InvalidSettingError'

  constructor(dataDir: string, setting: string, why: string) {
    super(
      'ERR_CLUSTER_INVALID_SETTING',
      dataDir,
      `the setting ${JSON.stringify(setting)} cannot be used: ${why}`,
    )
  }
}

/** The server knows no setting of that name. */
export class UnknownSettingError extends ClusterError {
  override readonly name = 'UnknownSettingError'
  readonly setting: string

  constructor(dataDir: string, setting: string, options?: ErrorOptions) {
    super(
      'ERR_CLUSTER_UNKNOWN_SETTING',
      dataDir,
      `the server on ${dataDir} knows no setting "${setting}"; correct the name, or list them all`,
      options,
    )
    this.setting = setting
  }
}

/** The server does not take that value for that setting, or lets nobody change it. */
export class SettingRefusedError extends ClusterError {
  override readonly name = 'SettingRefusedError'
  readonly setting: string

  constructor(dataDir: string, setting: string, why: string, options?: ErrorOptions) {
    super(
      'ERR_CLUSTER_SETTING_REFUSED',
      dataDir,
      `the server on ${dataDir} does not change the setting "${setting}": ${why}`,
      options,
    )
    this.setting = setting
  }
}

/** The server has not taken over what its configuration files say. */
export class ReloadFailedError extends ClusterError {
  override readonly name = 'ReloadFailedError'

  constructor(dataDir: string, why: string) {
    super(
      'ERR_CLUSTER_RELOAD_FAILED',
      dataDir,
      `the server on ${dataDir} does not read its configuration again: ${indent(why)}`,
    )
  }
}

/** The cluster is not safe, although it was told to be: a crash of the machine may still destroy it. */
export class NotSafeError extends ClusterError {
  override readonly name = 'NotSafeError'

  constructor(dataDir: string, why: string) {
    super('ERR_CLUSTER_NOT_SAFE', dataDir, `${dataDir} is not safe from a crash yet: ${why}`)
  }
}

function indent(text: string): string {
  const lines = text.trim().split('\n')
  return lines.length === 1
    ? (lines[0] ?? '')
    : `\n${lines.map((line) => `    ${line}`).join('\n')}`
}
