export type { Address } from './connecting/address.ts'
export type { AsOptions } from './connecting/as-url.ts'
export {
  clusters,
  type ClustersOptions,
  type ClusterStatus,
  type ClusterUse,
  type ListedCluster,
  type RunningStatus,
  type UnknownStatus,
} from '@howdah/known-clusters'
export { Cluster, run } from './cluster.ts'
export type { ClusterOptions, DestroyOptions, EndOptions } from './cluster-options.ts'
export {
  ClusterError,
  type ClusterErrorCode,
  type ClusterErrorFields,
  type ClusterUser,
  type DatabaseUser,
} from '@howdah/data-directory'
export type { LogOptions } from '@howdah/data-directory'
export type { InitStep } from './init/init-scripts.ts'
export type { RunOptions } from './running/run-options.ts'
export type { Mode } from './settings/mode.ts'
export type { PatienceOptions } from './running/reload.ts'
export type { Outcome } from '@howdah/coordinate'
export type { Dumped, DumpOptions, Loaded, LoadOptions } from '@howdah/dump'
export type { ServerSnapshots } from './server-snapshots.ts'
export { postgres, Server, template0, template1 } from './server.ts'
export type { Restored, RestoreOptions, SaveOptions, Snapshot } from '@howdah/snapshot'
export type { RestartOptions, Session } from './session.ts'
export {
  type Setting,
  type SettingContext,
  type SettingFacts,
  type TypedValue,
} from '@howdah/data-directory'
export { type SettingValue } from '@howdah/data-directory'
export type { SettingChange, Settings } from './settings/settings.ts'
export type { StartOptions } from './running/start.ts'
export {
  newSystemIdentifier,
  readSystemIdentifier,
  writeSystemIdentifier,
} from '@howdah/data-directory'
export { type Template, TemplateCache } from '@howdah/data-directory'
export { sweepTemporary } from './creating/sweep.ts'
export { temporary, temporaryDataDir, type TemporaryOptions } from './temporary.ts'
export type { WaitingOptions } from './waiting-options.ts'
