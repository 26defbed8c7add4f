import {
  listGenerations,
  listSnapshots,
  listWalSegments,
  type SnapshotInfo,
  type WalSegmentInfo,
} from './generation/generation-files.ts'
import type { LtxFileInfo } from './ltx/ltx-file-info.ts'
import { findLevels, listLtx } from './ltx/ltx-list.ts'
import type { Storage } from './storage.ts'

/** A file of a replica, of any kind. */
export type ReplicaEntry =
  | (LtxFileInfo & { readonly kind: 'ltx'; readonly path: string })
  | (SnapshotInfo & { readonly kind: 'snapshot'; readonly path: string })
  | (WalSegmentInfo & { readonly kind: 'wal'; readonly path: string })

/** All files of a replica: level by level, then generation by generation, snapshots before WAL segments. */
export async function* listEntries(storage: Storage): AsyncGenerator<ReplicaEntry, void, void> {
  const { levels } = await findLevels(storage)
  for (const level of levels) {
    for await (const { path, ...info } of listLtx(storage, level, 0n)) {
      yield { kind: 'ltx', path, ...info }
    }
  }
  for (const generation of await listGenerations(storage)) {
    for await (const { path, ...info } of listSnapshots(storage, generation)) {
      yield { kind: 'snapshot', path, ...info }
    }
    for await (const { path, ...info } of listWalSegments(storage, generation)) {
      yield { kind: 'wal', path, ...info }
    }
  }
}
