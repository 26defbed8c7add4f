import type { VerifyOptions } from './verify-options.ts'
import { listEntries, type ReplicaEntry } from '../entries.ts'
import { ReplicaError } from '../errors.ts'
import { Generations } from '../generation/generations.ts'
import { LtxFiles } from '../ltx/ltx-files.ts'
import { findLevels, strange } from '../ltx/ltx-list.ts'
import type { Storage } from '../storage.ts'
import { Findings } from './findings.ts'
import { verifyGenerations } from './verify-generations.ts'
import { LtxVerification } from './ltx-verification.ts'

/** How often to start anew when files are compacted away between being listed and being read. */
const attempts = 5

/** What was found about a file of a replica, or about the replica as a whole. */
export type Verdict = (ReplicaEntry | WholeReplica) & {
  /** Why it, or a state that needs it, cannot be restored; `null` if it can. */
  readonly problem: ReplicaError | null
}

/** Stands for a replica if no file of it is to blame: there is none, or some lie where none belong. */
export interface WholeReplica {
  readonly kind: 'replica'
  readonly path: string
}

/** Verifies a replica. See `Replica.verify`. */
export async function* verify(
  storage: Storage,
  options: VerifyOptions,
): AsyncGenerator<Verdict, void, void> {
  const ltx = new LtxVerification(storage)
  for (let attempt = 1; ; attempt++) {
    const findings = new Findings(options)
    const entries: ReplicaEntry[] = []
    for await (const entry of listEntries(storage)) entries.push(entry)
    await ltx.run(LtxFiles.of(storage, entries), findings)
    await verifyGenerations(storage, Generations.of(storage, entries).all, findings)
    if (findings.hasGone && attempt < attempts) continue
    for (const entry of entries) yield { ...entry, problem: findings.of(entry.path) }
    yield* verdictsOnWhole(storage, entries.length === 0)
    return
  }
}

async function* verdictsOnWhole(
  storage: Storage,
  isEmpty: boolean,
): AsyncGenerator<Verdict, void, void> {
  const { strangers } = await findLevels(storage)
  for (const path of strangers) yield { kind: 'replica', path, problem: strange(storage, path) }
  if (!isEmpty || strangers.length > 0) return
  const { root: path } = storage
  const why = `${path} has no LTX file to start from`
  const problem = new ReplicaError('ERR_REPLICA_EMPTY', why, { path })
  yield { kind: 'replica', path, problem }
}
