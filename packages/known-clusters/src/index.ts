export { backupMark } from './backups-around.ts'
export type { ClusterUse } from './cluster-use.ts'
export { forgetGone } from './forget-gone.ts'
export { LocalState } from './local-state.ts'
export { enter, forgetting, remember, rememberStarted, type UseEntry } from './use-entry.ts'
export { usersOf } from './users-of.ts'
export { type FoundUse, Uses } from './uses.ts'
export {
  isGone,
  refuseBackup,
  refuseNested,
  type RegisteredServer,
  registeredServers,
  registryIn,
  scopeOf,
  WriteScope,
} from './write-scope.ts'
