import { ClusterError } from './cluster-error.ts'

/** The path cannot be that of a data directory: not valid UTF-8, or with a NUL in it. */
export function invalidPath(dataDir: string, why: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_INVALID_PATH',
    dataDir,
    `${JSON.stringify(dataDir)} cannot be a data directory: ${why}`,
  )
}

/** `PG_VERSION` does not hold a version. */
export function malformedVersion(
  dataDir: string,
  content: string,
  options?: ErrorOptions,
): ClusterError {
  const shown = JSON.stringify(content.slice(0, 40))
  return new ClusterError(
    'ERR_CLUSTER_MALFORMED_VERSION',
    dataDir,
    `${dataDir}/PG_VERSION holds ${shown}, which is not a PostgreSQL version; restore the file from a backup`,
    options,
  )
}

/** It cannot be told whether a server runs. Never taken for "stopped". */
export function unknownStatus(dataDir: string, why: string, options?: ErrorOptions): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_UNKNOWN_STATUS',
    dataDir,
    `cannot tell whether a server runs on ${dataDir}: ${why}`,
    options,
  )
}

/** This user, or the server's, may not read, enter or write a file or directory of the cluster. */
export function notPermitted(
  dataDir: string,
  path: string,
  message: string,
  options?: ErrorOptions,
): ClusterError {
  return new ClusterError('ERR_CLUSTER_PERMISSION', dataDir, message, { ...options, path })
}

/** `global/pg_control` is damaged, or of a version that is not known, so it was left as it is. */
export function damagedControlFile(dataDir: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_CONTROL_FILE',
    dataDir,
    `the checksum of ${dataDir}/global/pg_control is wrong, or the file is of an unknown version; restore the cluster from a backup`,
  )
}

/** We are root, and there is no user to run the server as, or the user that was asked for is unknown. */
export function noServerUser(dataDir: string, message: string): ClusterError {
  return new ClusterError('ERR_CLUSTER_SERVER_USER', dataDir, message)
}

/** There was no room for a copy of the cluster; what was made of it was removed again. */
export function diskFull(
  dataDir: string,
  path: string,
  bytes: number | null,
  options?: ErrorOptions,
): ClusterError {
  const much = bytes === null ? 'room' : `${Math.ceil(bytes / 1e6)} MB`
  return new ClusterError(
    'ERR_CLUSTER_DISK_FULL',
    dataDir,
    `the disk is full at ${path}; free ${much} there, or use another place`,
    { ...options, path },
  )
}

/** The server ended before it was ready, or was not ready in time; none is left running. */
export function startFailed(
  dataDir: string,
  reason: string,
  log: string,
  options?: ErrorOptions,
): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_START_FAILED',
    dataDir,
    `PostgreSQL did not start on ${dataDir}: ${reason}${log === '' ? '' : `; its log says: ${indent(log)}`}`,
    { ...options, log },
  )
}

/** No role is there that is superuser and can log in, or none could be found. */
export function noSuperuser(dataDir: string, output: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_NO_SUPERUSER',
    dataDir,
    `found no superuser that can log in to ${dataDir}${output === '' ? '' : `; the server says: ${indent(output)}`}`,
  )
}

/** A setting's name is not one that PostgreSQL could know. */
export function invalidSetting(dataDir: string, setting: string, why: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_INVALID_SETTING',
    dataDir,
    `the setting ${JSON.stringify(setting)} cannot be used: ${why}`,
  )
}

/** It cannot be told how a running server was started, so that it cannot be restarted like that. */
export function unknownStart(dataDir: string, path: string, options?: ErrorOptions): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_UNKNOWN_START',
    dataDir,
    `cannot tell how the server on ${dataDir} was started, for ${path} cannot be read or was changed; ` +
      'stop the server, and start it again',
    options,
  )
}

/** The words of a program in a message: a single line as it is, more lines below the message. */
export function indent(text: string): string {
  const lines = text.trim().split('\n')
  return lines.length === 1
    ? (lines[0] ?? '')
    : `\n${lines.map((line) => `    ${line}`).join('\n')}`
}
