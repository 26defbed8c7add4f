import { link, lstat, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ifThere, io, ReplicaError } from '../errors.ts'
import { syncDirectory } from '../file/durable-directory.ts'
import type { Modes } from '../file/modes.ts'
import { absolutePath } from '../file/path-of-url.ts'
import { TemporaryFile } from '../file/temporary-file.ts'
import { restoreGeneration } from '../generation/generation-restore.ts'
import { explainGeneration } from '../generation/generations.ts'
import { restoreLtx } from '../ltx/ltx-restore.ts'
import type { Storage } from '../storage.ts'
import { chooseSource } from './choose-source.ts'
import { DatabaseWriter } from './database-writer.ts'
import { checkIntegrity } from './integrity-check.ts'
import { Progress } from './progress.ts'
import type { RestoreOptions, RestoreResult } from './restore-options.ts'
import type { Restored } from './restored.ts'

/** The number of attempts: a restore starts again if a file was compacted away after it was listed. */
const attempts = 5

/** The errors of file systems without hard links. */
const withoutLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/** Restores a database. See `Replica.restore`. */
export async function restore(
  storage: Storage,
  options: RestoreOptions,
  modes: Modes,
): Promise<RestoreResult> {
  checkTarget(options)
  const output = absolutePath(options.output)
  await refuseExisting(output)
  for (let attempt = 1; ; attempt++) {
    try {
      return await restoreOnce(storage, options, output, modes)
    } catch (error) {
      const compacted = error instanceof ReplicaError && error.code === 'ENOENT'
      if (!compacted || !error.path?.startsWith(storage.root) || attempt === attempts) throw error
    }
  }
}

async function restoreOnce(
  storage: Storage,
  options: RestoreOptions,
  output: string,
  modes: Modes,
): Promise<RestoreResult> {
  const { signal, integrityCheck = 'full' } = options
  signal?.throwIfAborted()
  await using file = await TemporaryFile.create(output, modes.fileMode)
  const writer = new DatabaseWriter(file)
  const progress = new Progress(options, writer)
  const restored = await write(storage, options, writer, progress)
  progress.phase('syncing', output)
  await file.finish()
  progress.phase('checking', output)
  const integrity = await checkIntegrity(file.path, integrityCheck, signal)
  signal?.throwIfAborted()
  await publish(file.path, output)
  return { ...restored, path: output, bytes: restored.pages * restored.pageSize, integrity }
}

async function write(
  storage: Storage,
  options: RestoreOptions,
  writer: DatabaseWriter,
  progress: Progress,
): Promise<Restored> {
  const source = await chooseSource(storage, options)
  const passedOver = source.passedOver === undefined ? {} : { passedOver: source.passedOver }
  try {
    const restored =
      source.format === 'ltx'
        ? await restoreLtx(storage, source.plan, writer, progress)
        : await restoreGeneration(storage, source.plan, writer, progress)
    return { ...restored, ...passedOver }
  } catch (error) {
    throw source.format === 'ltx'
      ? await source.files.explain(error)
      : explainGeneration(error, source.plan)
  }
}

/** Gives the database its name unless a file with that name exists: a rename would replace that file. */
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

/** Also refuses an existing journal or WAL: SQLite would apply it to the new database and damage it. */
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
  const { txid, time, generation, index, format } = options
  if (options.output === '')
    throw refuse('the output is empty; give the path of the database to make')
  if (
    txid !== undefined &&
    (time !== undefined || generation !== undefined || index !== undefined)
  ) {
    throw refuse(
      'a transaction id cannot be combined with a time, a generation or an index; give one of them',
    )
  }
  if (format === 'generation' && txid !== undefined)
    throw refuse('only LTX files have transaction ids; give a time, or leave out the format')
  if (format === 'ltx' && (generation !== undefined || index !== undefined)) {
    throw refuse('LTX files have no generations and indexes; leave out the format')
  }
  if (txid !== undefined && txid < 1n)
    throw refuse(`the transaction id ${txid} is less than 1, the first one`)
  if (time !== undefined && Number.isNaN(Number(time)))
    throw refuse('the time is an invalid Date; give a valid one')
  if (index !== undefined && (!Number.isSafeInteger(index) || index < 0)) {
    throw refuse(`the index ${index} is not a natural number`)
  }
}

function refuse(why: string): ReplicaError {
  return new ReplicaError('ERR_REPLICA_OPTION', why)
}
