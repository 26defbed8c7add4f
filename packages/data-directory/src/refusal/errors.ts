import { ClusterError } from '../cluster-error.ts'

/** The system has refused more files, processes or memory. */
export function systemLimit(
  dataDir: string,
  refusal: string,
  what: string,
  cure: string,
  options?: ErrorOptions,
): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_LIMIT',
    dataDir,
    `${what} (${refusal}), for ${dataDir}; ${cure}`,
    { ...options, refusal },
  )
}

/** A sandbox denies something that a server or its clients need. */
export function denied(dataDir: string, refusal: string, options?: ErrorOptions): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_DENIED',
    dataDir,
    `this sandbox denies ${refusal}, without which nobody can use PostgreSQL on ${dataDir}; run the command outside of the ` +
      'sandbox, or allow it: in Codex by "network_access = true" under [sandbox_workspace_write] in config.toml, in Claude Code ' +
      'by "sandbox": { "network": { "allowAllUnixSockets": true } } in settings.json, with seccomp and Seatbelt in their profile',
    { ...options, refusal },
  )
}

/** Linux without a /proc. */
export function noProc(dataDir: string, options?: ErrorOptions): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_NO_PROC',
    dataDir,
    `there is no /proc here, by which the programs of PostgreSQL find their libraries, and root the files of a new cluster, ` +
      `so ${dataDir} cannot be used; mount it with: mount -t proc proc /proc`,
    options,
  )
}

/** Something has to be written, but the file system is mounted read-only. */
export function readOnly(dataDir: string, path: string, options?: ErrorOptions): ClusterError {
  return new ClusterError(
    'ERR_CLUSTER_READ_ONLY',
    dataDir,
    `cannot write ${path}: its file system is read-only; use a place that can be written, or mount it read-write`,
    { ...options, path },
  )
}
