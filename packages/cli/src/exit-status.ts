import { errno } from '@howdah/durable'
import { exitStatus as ofAnyProgram } from '@howdah/terminal'

/** The exit statuses that are howdah's own; 125, 126 and 127 only after `exec`, `shell`, `lock` and `lease`. */
export const exitStatus = {
  ...ofAnyProgram,
  /** No PostgreSQL was found, or none of the needed version: EX_UNAVAILABLE of sysexits.h. */
  noPostgres: 69,
  /** Another process holds it, so try again: EX_TEMPFAIL of sysexits.h. */
  held: 75,
} as const

/** The cluster is in use in another container. This has a status of its own even after `exec` and `shell`. */
export const inUseElsewhere = 'ERR_COORDINATE_ELSEWHERE'

/** Codes of errors that mean something other than plainly "failed". */
const statusByCode: ReadonlyMap<string, number> = new Map([
  ['ERR_CLI_USAGE', exitStatus.misused],
  ['ERR_CLI_LEASE_HELD', exitStatus.held],
  ['ERR_PROJECT_SETTINGS', exitStatus.misused],
  ['ERR_CLUSTER_INVALID_PATH', exitStatus.misused],
  ['ERR_CLUSTER_INVALID_SETTING', exitStatus.misused],
  ['ERR_CLUSTER_UNKNOWN_SETTING', exitStatus.misused],
  ['ERR_CLUSTER_SETTING_REFUSED', exitStatus.misused],
  ['ERR_CLUSTER_INVALID_TARGET', exitStatus.misused],
  ['ERR_CLUSTER_OTHER_VERSION', exitStatus.misused],
  ['ERR_UPGRADE_NOT_NEWER', exitStatus.misused],
  ['ERR_RUNTIME_CONSTRAINT', exitStatus.misused],
  ['ERR_RUNTIME_VERSION', exitStatus.misused],
  ['ERR_LEASE_OPTION', exitStatus.misused],
  ['ERR_LOCK_OPTION', exitStatus.misused],
  ['ERR_REPLICA_OPTION', exitStatus.misused],
  ['ERR_CLUSTER_INVALID_URL', exitStatus.misused],
  ['ERR_CLUSTER_INVALID_TEMPLATE', exitStatus.misused],
  ['ERR_RUNTIME_NOT_FOUND', exitStatus.noPostgres],
  ['ERR_RUNTIME_NOT_A_RUNTIME', exitStatus.noPostgres],
  ['ERR_RUNTIME_IN_USE', exitStatus.held],
  ['ERR_CLUSTER_IN_USE', exitStatus.held],
  ['ERR_CLUSTER_TEMPLATE_IN_USE', exitStatus.held],
  ['ERR_CLUSTER_DATABASE_IN_USE', exitStatus.held],
  ['ERR_CLUSTER_INVALID_BRANCH', exitStatus.misused],
  ['ERR_CLUSTER_INVALID_SNAPSHOT', exitStatus.misused],
  ['ERR_CLUSTER_NOT_READY', exitStatus.held],
  ['ERR_LOCK_TIMEOUT', exitStatus.held],
  ['ERR_COORDINATE_TIMEOUT', exitStatus.held],
  ['ERR_COORDINATE_IN_USE', exitStatus.held],
  [inUseElsewhere, exitStatus.held],
  // PostgreSQL's object_in_use: others are connected to the database to drop.
  ['55006', exitStatus.held],
])

/** The exit status of a failure, except in `exec`, `shell`, `lock` and `lease`. */
export function statusOf(error: unknown): number {
  return statusByCode.get(errno(error)) ?? exitStatus.failed
}
