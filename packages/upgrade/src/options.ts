import type { ConstraintLike } from '@howdah/runtime'
import type { WaitingOptions } from '@howdah/cluster'

/** How to upgrade a cluster. */
export interface UpgradeOptions extends WaitingOptions {
  /** The PostgreSQL to upgrade to; by default that of the cluster's option `runtime`, or else the newest that is found. */
  readonly to?: ConstraintLike | undefined
  /** `'dump'`: do not use pg_upgrade. By default it is preferred, if both PostgreSQLs have their client programs. */
  readonly method?: 'dump' | undefined
  /** Settings that the servers of both clusters need, as with `-c NAME=VALUE`; those of the configuration files count anyway. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** Called at the beginning of each step, and some times a second while a database is loaded. */
  readonly onProgress?: ((progress: UpgradeProgress) => void) | undefined
  /** Called with what the new cluster does not have from the old one, such as replication slots. */
  readonly onNotice?: ((message: string) => void) | undefined
}

/** The steps of an upgrade, in their order. Until `swapping` the old cluster is in its place, from `swapped` on the new one. */
export type UpgradeStep =
  | 'preparing'
  | 'creating'
  | 'loading'
  | 'verifying'
  | 'syncing'
  | 'swapping'
  | 'swapped'
  | 'finishing'

/** A step that begins, as `onProgress` receives it. */
export interface UpgradeProgress {
  readonly step: UpgradeStep
  /** The database that is loaded or verified. */
  readonly database?: string
  /** The bytes of SQL that have been loaded into it. */
  readonly bytes?: number
}

/** What was verified in a database. */
export interface VerifiedDatabase {
  readonly name: string
  readonly tables: number
  readonly rows: number
  readonly sequences: number
}

/** The result of an upgrade. */
export interface Upgraded {
  /** `'unmodified'`: the cluster was of this major before. */
  readonly outcome: 'modified' | 'unmodified'
  readonly dataDir: string
  /** The version of the old cluster. */
  readonly from: string
  /** The version of the PostgreSQL that runs the new cluster. */
  readonly to: string
  /** How it was made; `null` if there was nothing to do. */
  readonly method: 'pg_upgrade' | 'dump' | null
  /** Where the old cluster is kept, until {@link dropFormerClusters}; `null` if there was nothing to do. */
  readonly former: string | null
  readonly databases: readonly VerifiedDatabase[]
}
