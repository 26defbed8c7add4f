export {
  currentProcess,
  identifyProcess,
  liveness,
  type Liveness,
  type ProcessIdentity,
  type WaitOptions,
} from '@howdah/lock'
export type { BodyCodec } from './entry/body-codec.ts'
export { EntryId } from './entry/entry-id.ts'
export { Entry, type LoadedEntry } from './entry/entry.ts'
export { StoreError, type EntryDamage, type Failure, type StoreErrorCode } from './errors.ts'
export { maxIdentity } from './segment/identity-range.ts'
export type { ListedEntry, UnreadableEntry } from './segment/listed-entry.ts'
export { LockedDocument, type DocumentOptions, type Recovery } from './locked-document.ts'
export { LockedSegment, type SaveOptions } from './segment/locked-segment.ts'
export { pathIdentity } from './path-identity.ts'
export { Segment } from './segment/segment.ts'
export type { StandardSchemaV1 } from './standard-schema.ts'
export {
  findStateDirectory,
  stateDirectories,
  stateDirectory,
  type StateDirectory,
} from './state-directory.ts'
export { Store, type ListedSegment, type StoreOptions } from './store.ts'
