import { stat } from 'node:fs/promises'
import {
  openReplica,
  ReplicaError,
  type Replica,
  type ReplicaEntry,
  type RestoreProgress,
  type RestoreResult,
} from '@howdah/replica'
import { fullPath } from '@howdah/terminal'
import type { Context } from '../program/command.ts'
import { misused } from '../errors.ts'
import { errno } from '@howdah/durable'
import { exitStatus } from '../exit-status.ts'
import { momentOf } from '../opening/moment-of.ts'
import type { Options } from '../program/options.ts'

/** Lists, verifies or restores a replica of a SQLite database. */
export async function replica(
  context: Context,
  [action, path = '']: readonly string[],
): Promise<number> {
  if (action !== 'ls' && action !== 'verify' && action !== 'restore') {
    throw misused(
      `replica ${action}: there is no such action; "ls", "verify" or "restore" a replica`,
    )
  }
  if (action !== 'restore') refuseTarget(context, action)
  const time = await timeOf(context.options)
  await using at = await open(context, path)
  if (action === 'ls') return await list(context, at)
  return action === 'verify' ? await verify(context, at) : await restore(context, at, time)
}

function refuseTarget({ options }: Context, action: string): void {
  const stray = (['to', 'txid', 'time'] as const).find((name) => options[name] !== undefined)
  if (stray !== undefined) throw misused(`replica ${action}: --${stray} is for "restore"`)
}

/** Opens the replica. A missing directory does not count as an empty replica. */
async function open({ io }: Context, path: string): Promise<Replica> {
  if (path === '') throw misused('replica: the path is empty')
  const isUrl = /^[a-z][a-z\d+.-]*:\/\//i.test(path)
  const endpoint = io.env['AWS_ENDPOINT_URL_S3'] ?? io.env['AWS_ENDPOINT_URL']
  const at = await openReplica(isUrl ? path : fullPath(io, path), { endpoint })
  if (at.type === 'file') await refuseMissing(at.path)
  return at
}

async function refuseMissing(path: string): Promise<void> {
  let isDirectory: boolean
  try {
    isDirectory = (await stat(path)).isDirectory()
  } catch (cause) {
    const why = errno(cause) === 'ENOENT' ? 'it does not exist' : (cause as Error).message
    throw new ReplicaError('ENOENT', `there is no replica at ${path}: ${why}; check the path`, {
      path,
      cause,
    })
  }
  if (isDirectory) return
  throw new ReplicaError(
    'ERR_REPLICA_IO',
    `there is no replica at ${path}: it is not a directory; give the one that has "ltx" in it`,
    { path },
  )
}

async function list({ output, options, interruption }: Context, at: Replica): Promise<number> {
  const all: ReplicaEntry[] = []
  let count = 0
  for await (const entry of at.entries()) {
    interruption.signal.throwIfAborted()
    count++
    if (options.json) all.push(entry)
    else {
      const name = entry.path.slice(at.path.length + 1)
      await output.line(`${entry.createdAt.toISOString()} ${`${entry.size}`.padStart(12)} ${name}`)
    }
  }
  if (options.json) await output.json(all.map(describe))
  else if (count === 0) output.message(`${at.path} holds no replica`)
  return exitStatus.done
}

/** An entry for JSON. Transaction ids have the form of the files' names. */
function describe(entry: ReplicaEntry): object {
  if (entry.kind !== 'ltx') return entry
  return { ...entry, minTxid: hex(entry.minTxid), maxTxid: hex(entry.maxTxid) }
}

function hex(txid: bigint): string {
  return txid.toString(16).padStart(16, '0')
}

async function verify({ output, options, interruption }: Context, at: Replica): Promise<number> {
  const problems: ReplicaError[] = []
  let files = 0
  output.progress.show(`verifying ${at.path}`)
  const onProgress = ({ file }: { file: string }) => output.progress.show(`verifying ${file}`)
  for await (const { kind, problem } of at.verify({ signal: interruption.signal, onProgress })) {
    if (kind !== 'replica') files++
    if (problem !== null) problems.push(problem)
  }
  output.progress.clear()
  if (options.json) {
    await output.json({
      files,
      problems: problems.map(({ code, message, path }) => ({ code, message, path })),
    })
  } else {
    for (const { message } of problems) await output.line(message)
    const verdict = problems.length === 0 ? 'all sound' : `${problems.length} wrong`
    output.message(`${files} ${files === 1 ? 'file' : 'files'}, ${verdict}`)
  }
  return problems.length === 0 ? exitStatus.done : exitStatus.failed
}

async function restore(
  { io, output, options, interruption }: Context,
  at: Replica,
  time: Date | undefined,
): Promise<number> {
  const { to, txid } = options
  if (to === undefined) throw misused('replica restore: say where to, with --to FILE')
  if (txid !== undefined && time !== undefined) {
    throw misused('replica restore: --txid and --time exclude each other; give one of them')
  }
  const result = await at
    .restore({
      output: fullPath(io, to),
      txid,
      time,
      signal: interruption.signal,
      onProgress: (progress) => output.progress.show(describeProgress(progress)),
    })
    .finally(() => output.progress.clear())
  if (options.json) await output.json(resultAsJson(result))
  else output.message(describeResult(result))
  return exitStatus.done
}

/** The time to restore to, in the whole ms that files of a replica have. */
async function timeOf({ time }: Options): Promise<Date | undefined> {
  if (time === undefined) return undefined
  const { microseconds } = await momentOf('replica restore', time)
  return new Date(Number(microseconds / 1000n))
}

function describeProgress({ phase, bytes, totalBytes }: RestoreProgress): string {
  if (phase === 'syncing') return 'writing it to the disk'
  if (phase === 'checking') return 'checking the database'
  const megabytes = (count: number) => (count / 1e6).toFixed(1)
  return `restoring: ${megabytes(bytes)} of ${megabytes(totalBytes)} MB`
}

function describeResult({ path, from, timestamp, integrity, passedOver }: RestoreResult): string {
  const state =
    from.format === 'ltx'
      ? `after transaction ${hex(from.txid)}`
      : `from generation ${from.generation}, WAL ${from.index}`
  const check =
    integrity.checkedBy === null
      ? `not checked: ${integrity.skipped ?? 'nobody was asked to'}`
      : `checked by ${integrity.checkedBy}`
  const older =
    passedOver === undefined
      ? ''
      : `; ${passedOver.format === 'ltx' ? 'the LTX files' : 'the files of litestream 0.3'} there are older (up to ${passedOver.timestamp.toISOString()}) and were not used`
  return `restored ${path} as it was ${state}, of ${timestamp.toISOString()}; ${check}${older}`
}

function resultAsJson(result: RestoreResult): object {
  const { from } = result
  return from.format === 'ltx' ? { ...result, from: { ...from, txid: hex(from.txid) } } : result
}
