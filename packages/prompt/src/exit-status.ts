/** The exit statuses of psql, except for `misused`, which is howdah's. */
export const exitStatus = {
  done: 0,
  /** A `-c` failed, or a file could not be read. */
  failed: 1,
  /** The connection was lost. */
  lost: 2,
  /** An argument is not known. */
  misused: 2,
  /** A script failed, and ON_ERROR_STOP is set. */
  scriptFailed: 3,
} as const
