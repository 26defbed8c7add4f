import { ClusterError, type ClusterUser, indent } from '@howdah/data-directory'

/** There is no cluster at the data directory, and the call does not create one. */
export function clusterMissing(dataDir: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_MISSING',
    dataDir,
    `there is no PostgreSQL cluster in ${dataDir}; create one, or check the path`,
  )
}

/** A running server is needed, and none runs on the cluster. */
export function notRunning(dataDir: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_NOT_RUNNING',
    dataDir,
    `no PostgreSQL server runs on ${dataDir}; start it first`,
  )
}

/** The server runs but has refused connections for too long, because it starts, recovers from a crash, or shuts down. */
export function notReady(dataDir: string, timeout: number, refusal: Error): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_NOT_READY',
    dataDir,
    `the server on ${dataDir} has let nobody in for ${timeout} ms: ${refusal.message}; give it more time, or look into its log`,
    { cause: refusal },
  )
}

/** The directory contains something other than a cluster. Nothing in it was changed. */
export function notEmpty(dataDir: string, found: readonly string[]): ClusterError {
  const some = found.slice(0, 3).join(', ') + (found.length > 3 ? ', …' : '')
  return new ClusterError(
    'ERR_CLUSTER_NOT_EMPTY',
    dataDir,
    `${dataDir} holds other things (${some}) and was left alone; choose an empty or a new directory`,
    { found },
  )
}

/** The cluster has a version that this package does not run: older than 10. */
export function unsupportedVersion(dataDir: string, version: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_UNSUPPORTED_VERSION',
    dataDir,
    `${dataDir} is a cluster of PostgreSQL ${version}, and only 10 and later are supported; dump it with its own programs`,
  )
}

/** There is no directory for temporary clusters. */
export function noTemporaryPlace(path: string, why: string, options?: ErrorOptions): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_TEMPORARY_PLACE',
    path,
    `temporary clusters cannot lie in ${path}: ${why}; set HOWDAH_TEMPORARY_DIR to a directory that can be written`,
    options,
  )
}

/** initdb failed. Its files were removed. */
export function createFailed(
  dataDir: string,
  output: string,
  options?: ErrorOptions,
): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_CREATE_FAILED',
    dataDir,
    `cannot create a cluster in ${dataDir}: ${indent(output)}`,
    { ...options, output },
  )
}

/** The server still runs after it was told to stop. */
export function stopFailed(dataDir: string, pid: number, timeout: number): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_STOP_FAILED',
    dataDir,
    `the server on ${dataDir} (pid ${pid}) has not stopped within ${timeout} ms; look into its log, and try again`,
    { pid },
  )
}

/** Others use the cluster, so it is neither stopped nor destroyed nor restarted. Try again, or force it. */
export function inUse(
  dataDir: string,
  users: readonly ClusterUser[],
  wanted: string,
  cure = 'wait until they have left, or force it',
): ClusterError {
  const who = users
    .map(({ pid, command }) => `pid ${pid}${command === null ? '' : ` (${command})`}`)
    .join(', ')
  return new ClusterError(
    'ERR_CLUSTER_IN_USE',
    dataDir,
    `cannot ${wanted} ${dataDir}: it is in use${who === '' ? '' : ` by ${who}`}; ${cure}`,
    { users },
  )
}

/** Howdah did not start the server, or did not create the cluster, so it is stopped or destroyed only by force. */
export function notOurs(dataDir: string, wanted: 'stop' | 'destroy' | 'restart'): ClusterError {
  const what =
    wanted === 'destroy' ? `${dataDir} was not created` : `the server on ${dataDir} was not started`
  const cure =
    wanted === 'restart'
      ? 'restart it in the way in which it was started'
      : `to ${wanted} it all the same, force it`
  return new ClusterError(
    'ERR_CLUSTER_NOT_OURS',
    dataDir,
    `${what} by howdah and was left alone; ${cure}`,
  )
}

/** The running server does not listen on TCP, and cannot be restarted while others use it. */
export function noTcp(dataDir: string, why: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_NO_TCP',
    dataDir,
    `the server on ${dataDir} does not listen on TCP${why}`,
  )
}

/** TLS was requested, but the server cannot have it. */
export function noTls(dataDir: string, why: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_NO_TLS',
    dataDir,
    `cannot have TLS for the server on ${dataDir}: ${why}`,
  )
}

/** The server refuses howdah's password over TCP, and howdah may not set it, or setting it does not help. */
export function noTcpLogin(dataDir: string, refusal: Error | null): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_TCP_LOGIN',
    dataDir,
    `cannot log in over TCP to the server on ${dataDir}: ${refusal?.message ?? 'howdah has no password there'}; ` +
      `put the role's password into ${dataDir}/howdah.password, and let pg_hba.conf admit it from 127.0.0.1, or use the socket`,
    { cause: refusal },
  )
}

/** The server, which somebody else has set up, does not admit a role on its socket without its password. */
export function noSocketLogin(dataDir: string, role: string, refusal: Error): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_SOCKET_LOGIN',
    dataDir,
    `the server on ${dataDir} does not admit the role "${role}" on its socket: ${refusal.message}; give the password by ` +
      `{ user: '${role}', password: '…' } or --user and --password, or let ${dataDir}/pg_hba.conf say "local all all trust"`,
    { cause: refusal },
  )
}

/** The server knows no setting of that name. */
export function unknownSetting(
  dataDir: string,
  setting: string,
  options?: ErrorOptions,
): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_UNKNOWN_SETTING',
    dataDir,
    `the server on ${dataDir} knows no setting "${setting}"; correct the name, or list them all`,
    { ...options, setting },
  )
}

/** The server refuses this value for the setting, or does not let anybody change the setting. */
export function settingRefused(
  dataDir: string,
  setting: string,
  why: string,
  options?: ErrorOptions,
): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_SETTING_REFUSED',
    dataDir,
    `the server on ${dataDir} does not change the setting "${setting}": ${why}`,
    { ...options, setting },
  )
}

/** The server has not applied its configuration files. */
export function reloadFailed(dataDir: string, why: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_RELOAD_FAILED',
    dataDir,
    `the server on ${dataDir} does not read its configuration again: ${indent(why)}`,
  )
}

/** The cluster is not safe, although this was requested: a crash of the machine may still destroy it. */
export function notSafe(dataDir: string, why: string): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_NOT_SAFE',
    dataDir,
    `${dataDir} is not safe from a crash yet: ${why}`,
  )
}
