import {
  closeSync,
  constants,
  fchownSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import type { ProcessIdentity } from '@howdah/lock'
import { codeOf } from './caught.ts'
import { RecordError } from './errors.ts'
import { type Place, childUser } from './place.ts'

/** A signal that ends a server in an orderly way. */
export type StopSignal = 'SIGHUP' | 'SIGINT' | 'SIGQUIT' | 'SIGTERM' | 'SIGUSR1' | 'SIGUSR2'

const stopSignals: readonly StopSignal[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
]

/**
 * Who runs, started by us, and how it is to be treated.
 *
 * It is written under change, whole, by rename, **before** the process that it names becomes the server. So a process
 * that it does not name was started by somebody else.
 */
export interface ServerRecord {
  readonly process: ProcessIdentity
  /** What ends it. */
  readonly signal: StopSignal
  /** The working directory that it keeps, as a further proof that it is the process meant. */
  readonly cwd: string | null
  /** Nobody stops it by leaving. */
  readonly pinned: boolean
  /** For how many seconds it is kept after the last user has gone. */
  readonly linger: number
  /** Changes whenever somebody joins a lingering subject, so that lingering starts anew. */
  readonly joined: string
}

/**
 * The record at the path, or `null` where there is none or it is no whole record.
 *
 * It is text, a `key value` a line, so that a shell reads it, too.
 */
export function readRecord(path: string): ServerRecord | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw new RecordError(path, 'read', error)
  }
  const lines = text.split('\n').map((line): [string, string] => {
    const space = line.indexOf(' ')
    return [line.slice(0, space), line.slice(space + 1)]
  })
  const fields = new Map(lines)
  const pid = Number(fields.get('pid'))
  const signal = stopSignals.find((name) => name === fields.get('signal'))
  if (!Number.isSafeInteger(pid) || pid < 1 || signal === undefined) return null
  const linger = Number(fields.get('linger') ?? 0)
  return {
    process: {
      pid,
      startTime: fields.get('start') ?? null,
      bootId: fields.get('boot') ?? null,
      pidNamespace: fields.get('namespace') ?? null,
    },
    signal,
    cwd: fields.get('cwd') ?? null,
    pinned: fields.get('pinned') === 'yes',
    linger: linger > 0 && Number.isFinite(linger) ? linger : 0,
    joined: fields.get('joined') ?? '',
  }
}

/** Publishes the record, whole. Under change. As root it becomes the property of the place's user. */
export function writeRecord(place: Place, record: ServerRecord): void {
  const { process: identity, signal, cwd, pinned, linger, joined } = record
  const fields: [string, string | number | null][] = [
    ['pid', identity.pid],
    ['start', identity.startTime],
    ['boot', identity.bootId],
    ['namespace', identity.pidNamespace],
    ['signal', signal],
    // A line cannot carry a line break; then the process is told by its start time alone.
    ['cwd', cwd?.includes('\n') === true ? null : cwd],
    ['pinned', pinned ? 'yes' : null],
    ['linger', linger > 0 ? linger : null],
    ['joined', joined === '' ? null : joined],
  ]
  const text = fields.map(([key, value]) => (value === null ? '' : `${key} ${value}\n`)).join('')
  const temporary = `${place.record}.new`
  try {
    // Only one writes at a time, under change: what lies there was left by one that was killed.
    rmSync(temporary, { force: true })
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants
    const fd = openSync(temporary, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o644)
    try {
      writeSync(fd, text)
      const { uid, gid } = childUser(place)
      if (uid !== undefined || gid !== undefined) fchownSync(fd, uid ?? -1, gid ?? -1)
    } finally {
      closeSync(fd)
    }
    // Not synced: after a crash of the machine no process that it names lives.
    renameSync(temporary, place.record)
  } catch (error) {
    throw new RecordError(place.record, 'write', error)
  }
}

/** Seconds as sleep(1) knows them: to the millisecond, without an exponent. */
export function seconds(linger: number): number {
  return Math.round(linger * 1000) / 1000
}

/** Removes the record of a process that is gone. */
export function removeRecord(place: Place): void {
  rmSync(place.record, { force: true })
  rmSync(`${place.record}.new`, { force: true })
}

/** Whether the record names exactly this process: it is ours. */
export function names(
  record: ServerRecord | null,
  identity: ProcessIdentity | null,
): record is ServerRecord {
  if (record === null || identity === null) return false
  const { pid, startTime, bootId, pidNamespace } = record.process
  return (
    pid === identity.pid &&
    startTime === identity.startTime &&
    bootId === identity.bootId &&
    pidNamespace === identity.pidNamespace
  )
}
