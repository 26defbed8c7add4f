export { addToCrc32c, crc32c, emptyCrc32c, finishCrc32c } from './crc32c.ts'
export { integers } from './native-integers.ts'
export { historyName, type Stretch, timelineAt } from './timeline.ts'
export { type Reach, WalArchive } from './wal-archive.ts'
export {
  type Lsn,
  parseLsn,
  parseSegmentName,
  printLsn,
  segmentName,
  segmentOf,
  startOf,
} from './wal-position.ts'
export { WalReader, type WalRecord } from './wal-reader.ts'
export { type ReadFile, type WalOrigin, WalWalk, type Way } from './wal-walk.ts'
