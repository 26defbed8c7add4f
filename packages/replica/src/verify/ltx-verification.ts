import type { LtxSummary } from '@howdah/ltx'
import { chainsToAll, farthestChain, type ChainLink } from '../ltx/ltx-chain.ts'
import type { LtxFiles } from '../ltx/ltx-files.ts'
import type { LtxFound } from '../ltx/ltx-list.ts'
import { LtxReplay } from '../ltx/ltx-replay.ts'
import { readLtx } from '../ltx/read-ltx.ts'
import type { Storage } from '../storage.ts'
import type { Findings } from './findings.ts'

/** All chains of files that restores would apply, as a tree: chains with a common start share its branch. */
interface Branch {
  readonly next: Map<LtxFound, Branch>
}

/** Verifies each LTX file by itself, and in all chains in which a restore would apply it. */
export class LtxVerification {
  readonly #storage: Storage
  /** Summaries of files that were read already, in case the files are listed again. */
  readonly #read = new Map<string, LtxSummary>()

  constructor(storage: Storage) {
    this.#storage = storage
  }

  async run(files: LtxFiles, findings: Findings): Promise<void> {
    const sound = new Map<LtxFound, LtxSummary>()
    for (const file of files.files) {
      const summary = await this.#readOnce(file, findings)
      if (summary !== null) sound.set(file, summary)
    }
    const gap = await files.gap()
    if (gap !== null) findings.note(gap)
    await this.#replay(await branchesOf(files.files, sound), sound, findings)
  }

  async #readOnce(file: LtxFound, findings: Findings): Promise<LtxSummary | null> {
    const { path, item } = file
    const key = `${path} ${item.facts?.size} ${item.facts?.modified.getTime()}`
    const known = this.#read.get(key)
    if (known !== undefined) return known
    const summary = await findings.examine(path, () => readLtx(this.#storage, file))
    if (summary !== null) this.#read.set(key, summary)
    return summary
  }

  /** Applies the files of all chains, one after the other. Leaves a chain at its first problem. */
  async #replay(
    root: Branch,
    sound: ReadonlyMap<LtxFound, LtxSummary>,
    findings: Findings,
  ): Promise<void> {
    const tracked = [...sound.values()].some(({ header }) => !header.noChecksum)
    const pending = [{ files: [...root.next], replay: LtxReplay.start(tracked) }]
    for (let top = pending.at(-1); top !== undefined; top = pending.at(-1)) {
      const child = top.files.pop()
      if (child === undefined) {
        pending.pop()
        continue
      }
      const [file, branch] = child
      const summary = sound.get(file)
      if (summary === undefined) continue
      const replay = top.files.length > 0 ? top.replay.clone() : top.replay
      const applied = await this.#apply(replay, file, summary, findings)
      if (applied) pending.push({ files: [...branch.next], replay })
    }
  }

  async #apply(
    replay: LtxReplay,
    file: LtxFound,
    { header, trailer }: LtxSummary,
    findings: Findings,
  ): Promise<boolean> {
    const applied = await findings.examine(file.path, async () => {
      replay.begin(header, file)
      if (replay.needsPages) {
        await readLtx(this.#storage, file, { page: (number, data) => replay.page(number, data) })
      }
      replay.end(header, trailer, file)
      return true
    })
    return applied ?? false
  }
}

/** The chains to all transactions and all times that can be restored. */
async function branchesOf(
  files: readonly LtxFound[],
  sound: ReadonlyMap<LtxFound, LtxSummary>,
): Promise<Branch> {
  const root: Branch = { next: new Map() }
  const branches = new Map<ChainLink<LtxFound>, Branch>()
  for (const link of chainsToAll(files)) {
    const before = link.before === null ? root : (branches.get(link.before) ?? root)
    branches.set(link, branchFor(before, link.file))
  }
  for (const time of timesApart(sound)) {
    const isInTime = (file: LtxFound): boolean => {
      const timestamp = sound.get(file)?.header.timestamp
      return timestamp !== undefined && timestamp <= time
    }
    const chain = await farthestChain(files, isInTime)
    chain.files.reduce(branchFor, root)
  }
  return root
}

function branchFor({ next }: Branch, file: LtxFound): Branch {
  const branch = next.get(file) ?? { next: new Map() }
  next.set(file, branch)
  return branch
}

/** The times with chains that may differ from the chains to transactions: the times after which the clock stepped back. */
function timesApart(sound: ReadonlyMap<LtxFound, LtxSummary>): bigint[] {
  const headers = [...sound.values()]
    .map(({ header }) => header)
    .toSorted((one, other) => Number(one.maxTxid - other.maxTxid))
  const isSteady = headers.every((header, index) => {
    const before = headers[index - 1]
    if (before === undefined) return true
    return before.maxTxid === header.maxTxid
      ? before.timestamp === header.timestamp
      : before.timestamp <= header.timestamp
  })
  return isSteady ? [] : [...new Set(headers.map(({ timestamp }) => timestamp))]
}
