import { shellWord } from './files/quote.ts'
import { ClusterError } from './cluster-error.ts'

/** The path cannot be that of a data directory, for example because it is not valid UTF-8 or contains a NUL byte. */
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

/** It is unknown whether a server runs. This never counts as "stopped". */
export function unknownStatus(dataDir: string, why: string, options?: ErrorOptions): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_UNKNOWN_STATUS',
    dataDir,
    `cannot tell whether a server runs on ${dataDir}: ${why}`,
    options,
  )
}

/** It is unknown which files of shared memory in a directory are used, because of a process of a server. */
export function unknownMemory(
  directory: string,
  pid: number,
  why: string,
  cause?: unknown,
): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_UNKNOWN_STATUS',
    directory,
    `cannot tell which shared memory in ${directory} is used: PostgreSQL's process ${pid} ${why}; ` +
      'stop its server, or look as root with the capability SYS_PTRACE',
    { cause },
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

/** `global/pg_control` is damaged or has an unknown version, and was left unchanged. */
export function damagedControlFile(dataDir: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_CONTROL_FILE',
    dataDir,
    `the checksum of ${dataDir}/global/pg_control is wrong, or the file is of an unknown version; restore the cluster from a backup`,
  )
}

/** We are root, and there is no user to run the server as, or the requested user is unknown. */
export function noServerUser(dataDir: string, message: string): ClusterError {
  return new ClusterError('ERR_CLUSTER_SERVER_USER', dataDir, message)
}

/** There was no room for a copy of the cluster. The unfinished copy was removed. */
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

/** The server ended before it was ready, or was not ready in time. No server is left running. */
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

/** There is no superuser that can log in, or none could be found. */
export function noSuperuser(dataDir: string, output: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_NO_SUPERUSER',
    dataDir,
    `found no superuser that can log in to ${dataDir}${output === '' ? '' : `; the server says: ${indent(output)}`}`,
  )
}

/** A setting cannot be used, because of its name or its value. */
export function invalidSetting(dataDir: string, setting: string, why: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_INVALID_SETTING',
    dataDir,
    `the setting ${JSON.stringify(setting)} cannot be used: ${why}`,
  )
}

/** It is unknown how a running server was started, so it cannot be restarted in the same way. */
export function unknownStart(dataDir: string, path: string, options?: ErrorOptions): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_UNKNOWN_START',
    dataDir,
    `cannot tell how the server on ${dataDir} was started, for ${path} cannot be read or was changed; ` +
      'stop the server, and start it again',
    options,
  )
}

/** Formats the output of a program for a message: a single line stays in the message, several lines follow below it. */
export function indent(text: string): string {
  const lines = text.trim().split('\n')
  return lines.length === 1
    ? (lines[0] ?? '')
    : `\n${lines.map((line) => `    ${line}`).join('\n')}`
}

/** A PostgreSQL of another major was asked for than the one that made the cluster. `place`: the setting that asks for it. */
export function otherVersion(
  dataDir: string,
  existing: number,
  asked: number,
  place: string | undefined,
): ClusterError {
  const change = place === undefined ? 'leave the version out' : `change ${place} to "${existing}"`
  const other =
    asked > existing
      ? `make it a cluster of ${asked} with: howdah upgrade ${asked} -D ${shellWord(dataDir)}`
      : 'use another data directory'
  return new ClusterError(
    'ERR_CLUSTER_OTHER_VERSION',
    dataDir,
    `${dataDir} is a cluster of PostgreSQL ${existing}, which PostgreSQL ${asked} cannot run; ${change}, or ${other}`,
  )
}
