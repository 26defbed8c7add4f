import { Generations, type GenerationPlan } from '../generation/generations.ts'
import { LtxFiles, type LtxPlan } from '../ltx/ltx-files.ts'
import type { Storage } from '../storage.ts'
import type { ReplicaFormat, RestoreResult, RestoreTarget } from './restore-options.ts'

/** The files from which a state is restored. */
export type Source = Pick<RestoreResult, 'passedOver'> &
  (
    | { readonly format: 'ltx'; readonly files: LtxFiles; readonly plan: LtxPlan }
    | { readonly format: 'generation'; readonly plan: GenerationPlan }
  )

/**
 * Chooses and plans the files to restore a state from. If both formats exist, it takes the one with the newer file up to the
 * time.
 */
export async function chooseSource(storage: Storage, target: RestoreTarget): Promise<Source> {
  const { txid, generation, index } = target
  const time = target.time === undefined ? undefined : Number(target.time)
  const format = formatOf(target)
  const files = format === 'generation' ? null : await LtxFiles.list(storage)
  const generations = format === 'ltx' ? null : await Generations.list(storage, generation)
  const ofLtx = async (all: LtxFiles): Promise<Source> => {
    return { format: 'ltx', files: all, plan: await all.plan({ txid, time }) }
  }
  if (generations === null) return await ofLtx(files ?? (await LtxFiles.list(storage)))
  const ofGeneration = (): Source => {
    return { format: 'generation', plan: generations.plan({ generation, index, time }) }
  }
  if (files === null) return ofGeneration()
  const old = generations.newest(time)
  if (old === null) return await ofLtx(files)
  const ltx = await files.newest(time)
  if (ltx === null) return ofGeneration()
  return ltx >= old
    ? { ...(await ofLtx(files)), passedOver: { format: 'generation', timestamp: new Date(old) } }
    : { ...ofGeneration(), passedOver: { format: 'ltx', timestamp: new Date(ltx) } }
}

/** The only format that fits the target; `null` if both fit. */
function formatOf({ txid, format, generation, index }: RestoreTarget): ReplicaFormat | null {
  if (format !== undefined) return format
  if (txid !== undefined) return 'ltx'
  return generation !== undefined || index !== undefined ? 'generation' : null
}
