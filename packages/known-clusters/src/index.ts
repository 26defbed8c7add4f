export { backupMark } from './backups-around.ts'
export { type ClusterStatus, type RunningStatus, statusOf } from './cluster-status.ts'
export type { ClusterUse } from './cluster-use.ts'
export {
  clusters,
  type ClustersOptions,
  type ListedCluster,
  type UnknownStatus,
} from './clusters.ts'
export { forgetGone } from './saved/forget-gone.ts'
export { LocalState } from './local-state.ts'
export {
  beingMade,
  isUnfinished,
  longestKept,
  savedPlaceOf,
  unfinishedIn,
} from './saved/saved-place.ts'
export { enter, forgetting, remember, rememberStarted, type UseEntry } from './use-entry.ts'
export { knownUsersOf, usersOf } from './users-of.ts'
export { Uses } from './uses.ts'
export {
  refuseBackup,
  refuseNested,
  type RegisteredServer,
  registeredServers,
  scopeOf,
  WriteScope,
} from './write-scope.ts'
