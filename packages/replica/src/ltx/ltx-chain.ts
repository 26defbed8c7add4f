import type { LtxFileKey } from './ltx-file-info.ts'

/** The longest chain of files: it starts with the first transaction and has no gap. */
export interface Chain<File> {
  readonly files: readonly File[]
  /** The last transaction of the chain; 0 if the chain is empty. */
  readonly reached: bigint
}

/**
 * The chain of eligible files that reaches farthest, with few and large files.
 *
 * Each next file is the one that reaches farthest among the files that adjoin or overlap the chain. If several reach equally
 * far, the one of the highest level is next. Eligibility is asked only for files that may be next.
 */
export async function farthestChain<File extends LtxFileKey>(
  all: Iterable<File>,
  eligible: (file: File) => Promise<boolean> | boolean = () => true,
): Promise<Chain<File>> {
  const files = [...all].toSorted((one, other) => compare(one.minTxid, other.minTxid))
  const chain: File[] = []
  let reached = 0n
  let adjoining: File[] = []
  let at = 0
  for (;;) {
    for (
      let file = files[at];
      file !== undefined && file.minTxid <= reached + 1n;
      file = files[++at]
    ) {
      adjoining.push(file)
    }
    adjoining = adjoining.filter((file) => file.maxTxid > reached).toSorted(prefer)
    const best = await firstOf(adjoining, eligible)
    if (best === null) return { files: chain, reached }
    chain.push(best)
    reached = best.maxTxid
  }
}

/** A state that can be restored: the last file of its chain, and the state before that file. */
export interface ChainLink<File> {
  readonly file: File
  readonly before: ChainLink<File> | null
}

/**
 * The chains to all transactions that can be restored, in ascending order.
 *
 * Each is the chain that {@link farthestChain} would choose if no file beyond that transaction were eligible. Each chain is
 * the chain of an earlier transaction and one more file, because the choices before that file are the same. `stack` is always
 * the farthest chain so far: a file that ends later replaces all files that it covers.
 */
export function chainsToAll<File extends LtxFileKey>(all: Iterable<File>): ChainLink<File>[] {
  const byEnd = new Map<bigint, File[]>()
  for (const file of all) byEnd.set(file.maxTxid, [...(byEnd.get(file.maxTxid) ?? []), file])
  const chains: ChainLink<File>[] = []
  const stack: ChainLink<File>[] = []
  for (const end of [...byEnd.keys()].toSorted(compare)) {
    const files = (byEnd.get(end) ?? []).toSorted(prefer)
    const start = files.reduce((least, { minTxid }) => (minTxid < least ? minTxid : least), end)
    const place = firstReaching(stack, start - 1n)
    if (place === null) continue
    const before = stack[place - 1] ?? null
    const reached = before?.file.maxTxid ?? 0n
    const file = files.find(({ minTxid }) => minTxid <= reached + 1n)
    if (file === undefined) continue
    const link = { file, before }
    stack.splice(place, Infinity, link)
    chains.push(link)
  }
  return chains
}

/** The number of links in the stack before a file that follows a transaction; `null` if the stack does not reach it. */
function firstReaching<File extends LtxFileKey>(
  stack: readonly ChainLink<File>[],
  txid: bigint,
): number | null {
  if (txid === 0n) return 0
  if ((stack.at(-1)?.file.maxTxid ?? 0n) < txid) return null
  let [low, high] = [0, stack.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((stack[middle]?.file.maxTxid ?? 0n) >= txid) high = middle
    else low = middle + 1
  }
  return low + 1
}

/** Compares files that may be next: the better one comes first. */
function prefer(one: LtxFileKey, other: LtxFileKey): number {
  return (
    compare(other.maxTxid, one.maxTxid) ||
    other.level - one.level ||
    compare(one.minTxid, other.minTxid)
  )
}

function compare(one: bigint, other: bigint): number {
  return one < other ? -1 : one > other ? 1 : 0
}

async function firstOf<File>(
  files: readonly File[],
  eligible: (file: File) => Promise<boolean> | boolean,
): Promise<File | null> {
  for (const file of files) if (await eligible(file)) return file
  return null
}
