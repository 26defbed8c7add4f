export type { Administrator } from './administrator.ts'
export type { Copy } from './copying/copy-database.ts'
export { copyUnused } from './copying/copy-unused.ts'
export type { Snapshot } from './kept/list-snapshots.ts'
export { isOld, type SavingLimits, mostBytes } from './kept/saving-limits.ts'
export { isOfHowdah, newId } from './kept/record.ts'
export {
  bringBackDatabase,
  dropSavedDatabase,
  saveDatabase,
  type SavedDatabase,
  savedDatabases,
} from './kept/saved-databases.ts'
export {
  type RestoreOptions,
  type Restored,
  type SaveOptions,
  type SnapshotOptions,
  Snapshots,
} from './snapshots.ts'
