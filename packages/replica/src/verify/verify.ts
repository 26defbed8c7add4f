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

/** The number of attempts: a verification starts again if files were compacted away after they were listed. */
const attempts = 5

/** The result for a file of a replica, or for the whole replica. */
export type Verdict = (ReplicaEntry | WholeReplica) & {
  /** Why the file, or a state that needs it, cannot be restored; `null` if it can. */
  readonly problem: ReplicaError | null
}

/** Stands for the whole replica if no single file is at fault: it has no files, or files in wrong places. */
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
