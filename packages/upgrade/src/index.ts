export { dropFormerClusters } from './drop-former-clusters.ts'
export { UpgradeError, type UpgradeErrorCode } from './errors.ts'
export type {
  Upgraded,
  UpgradeOptions,
  UpgradeProgress,
  UpgradeStep,
  VerifiedDatabase,
} from './options.ts'
export { upgradeCluster } from './upgrade.ts'
