import {
  listGenerations,
  listSnapshots,
  listWalSegments,
  snapshotPath,
  walSegmentPaths,
  type SnapshotInfo,
  type WalSegmentInfo,
} from './generation-files.ts'
import type { Layout } from './layout.ts'
import type { LtxFileInfo } from './ltx-file-info.ts'
import { listLtx, ltxLevels } from './ltx-list.ts'

/** A file of a replica, of whichever kind. */
export type ReplicaEntry =
  | (LtxFileInfo & { readonly kind: 'ltx'; readonly path: string })
  | (SnapshotInfo & { readonly kind: 'snapshot'; readonly path: string })
  | (WalSegmentInfo & { readonly kind: 'wal'; readonly path: string })

/** All files of a replica: level by level, then generation by generation, snapshots before WAL segments. */
export async function* listEntries(layout: Layout): AsyncGenerator<ReplicaEntry, void, void> {
  for (const level of await ltxLevels(layout)) {
    for await (const info of listLtx(layout, level, 0n)) {
      const path = layout.ltxFile(info.level, info.minTxid, info.maxTxid)
      yield { kind: 'ltx', path, ...info }
    }
  }
  for (const generation of await listGenerations(layout)) {
    for await (const info of listSnapshots(layout, generation)) {
      yield { kind: 'snapshot', path: snapshotPath(layout, generation, info.index), ...info }
    }
    for await (const info of listWalSegments(layout, generation)) {
      const [path] = walSegmentPaths(layout, generation, info.index, info.offset)
      yield { kind: 'wal', path: String(path), ...info }
    }
  }
}
