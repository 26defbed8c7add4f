import { link, lstat, rename } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { DatabaseWriter } from './database-writer.ts'
import { syncDirectory } from './durable-directory.ts'
import { ifThere, io, ReplicaError } from './errors.ts'
import { listGenerations } from './generation-files.ts'
import { planGeneration } from './generation-plan.ts'
import { restoreGeneration } from './generation-restore.ts'
import { checkIntegrity } from './integrity-check.ts'
import type { Layout } from './layout.ts'
import { ltxLevels } from './ltx-list.ts'
import { restoreLtx } from './ltx-restore.ts'
import type { Modes } from './modes.ts'
import { Progress } from './progress.ts'
import type { RestoreOptions, RestoreResult } from './restore-options.ts'
import { planLtx } from './restore-plan.ts'
import type { Restored } from './restored.ts'
import { TemporaryFile } from './temporary-file.ts'

/** How often to start anew when a file is compacted away between being listed and being read. */
const attempts = 5

/** What a file system without hard links says of them. */
const withoutLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** Restores a database. See `FileReplica.restore`. */
export async function restore(
  layout: Layout,
  options: RestoreOptions,
  modes: Modes,
): Promise<RestoreResult> {
  checkTarget(options)
  const output = resolve(options.output)
  await refuseExisting(output)
  for (let attempt = 1; ; attempt++) {
    try {
      return await restoreOnce(layout, options, output, modes)
    } catch (error) {
      const compacted = error instanceof ReplicaError && error.code === 'ENOENT'
      if (!compacted || !error.path?.startsWith(layout.root) || attempt === attempts) throw error
    }
  }
}

async function restoreOnce(
  layout: Layout,
  options: RestoreOptions,
  output: string,
  modes: Modes,
): Promise<RestoreResult> {
  const { signal, integrityCheck = 'full' } = options
  signal?.throwIfAborted()
  await using file = await TemporaryFile.create(output, modes.fileMode)
  const writer = new DatabaseWriter(file)
  const progress = new Progress(options, writer)
  const restored = await write(layout, options, writer, progress)
  progress.phase('syncing', output)
  await file.finish()
  progress.phase('checking', output)
  const integrity = await checkIntegrity(file.path, integrityCheck, signal)
  signal?.throwIfAborted()
  await publish(file.path, output)
  return { ...restored, path: output, bytes: restored.pages * restored.pageSize, integrity }
}

/** From LTX files where there are any, else, or where they do not go back that far, from snapshots and WAL. */
async function write(
  layout: Layout,
  options: RestoreOptions,
  writer: DatabaseWriter,
  progress: Progress,
): Promise<Restored> {
  const { txid, generation, index } = options
  const time = options.time === undefined ? undefined : Number(options.time)
  const byGeneration = async (): Promise<Restored> => {
    const plan = await planGeneration(layout, { generation, index, time })
    return await restoreGeneration(layout, plan, writer, progress)
  }
  if (generation !== undefined || index !== undefined) return await byGeneration()
  if ((await ltxLevels(layout)).length === 0 && txid === undefined) return await byGeneration()
  try {
    const plan = await planLtx(layout, { txid, time })
    return await restoreLtx(layout, plan, writer, progress)
  } catch (error) {
    const none = error instanceof ReplicaError && error.code === 'ERR_REPLICA_EMPTY'
    if (!none || txid !== undefined) throw error
    if ((await listGenerations(layout)).length === 0) throw error
    return await byGeneration()
  }
}

/** Gives the database its name, unless that is taken by now: a rename would replace what is there. */
async function publish(from: string, output: string): Promise<void> {
  await refuseExisting(output)
  try {
    await link(from, output)
  } catch (cause) {
    const refusal = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    if (refusal === 'EEXIST') throw exists(output)
    if (!withoutLinks.has(refusal)) await io('publish', output, () => Promise.reject(cause))
    await io('publish', output, () => rename(from, output))
  }
  await syncDirectory(dirname(output))
}

/** A journal or a WAL that lies there would be taken for the new database's own, and damage it. */
async function refuseExisting(output: string): Promise<void> {
  for (const path of ['', '-journal', '-wal', '-shm'].map((suffix) => output + suffix)) {
    if ((await ifThere('look at', path, () => lstat(path))) !== null) throw exists(path)
  }
}

function exists(path: string): ReplicaError {
  return new ReplicaError(
    'ERR_REPLICA_OUTPUT_EXISTS',
    `${path} exists already; delete it, or restore to another path`,
    { path },
  )
}

function checkTarget(options: RestoreOptions): void {
  const { txid, time, generation, index } = options
  if (options.output === '') throw refuse('the output is not empty')
  if (
    txid !== undefined &&
    (time !== undefined || generation !== undefined || index !== undefined)
  ) {
    throw refuse('a transaction id goes with neither a time, a generation, nor an index')
  }
  if (txid !== undefined && txid < 1n) throw refuse('transaction ids start with 1')
  if (time !== undefined && Number.isNaN(Number(time))) throw refuse('the time is no time')
  if (index !== undefined && (!Number.isSafeInteger(index) || index < 0)) {
    throw refuse(`the index ${index} is no natural number`)
  }
}

function refuse(why: string): ReplicaError {
  return new ReplicaError('ERR_REPLICA_OPTION', why)
}
