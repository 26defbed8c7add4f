import { errno } from '@howdah/durable'
import type { ServerRecord, StopSignal } from './server-record.ts'
import {
  closeSync,
  constants,
  existsSync,
  fchownSync,
  fstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { isSameProcess, type ProcessIdentity, readPlainFile } from '@howdah/lock'
import { recordFailed } from '../errors.ts'
import { type Paths, childUser } from '../paths.ts'

const stopSignals: readonly StopSignal[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
]

/** The paths of a record and of its subject's change lock. */
type Recorded = Pick<Paths, 'record' | 'change'>

/** The change lock, held while a record is written or removed. */
export interface HeldChange {
  readonly fd: number
}

/**
 * The path by which our own calls reach the record. If the record lies in the locked directory, the path leads through the
 * descriptor of that directory, because another user may replace the directory at its path while we are root. Without /proc,
 * the plain path is used.
 */
function held({ record, change }: Recorded, { fd }: HeldChange): string {
  const locked = `/proc/self/fd/${fd}`
  const isInside = resolve(dirname(record)) === resolve(change)
  const isKnown = isInside && process.platform === 'linux' && existsSync(locked)
  return isKnown ? join(locked, basename(record)) : record
}

/**
 * Identifies the subject of a record, by the device and inode of the file or directory that the change lock locks.
 *
 * A copy of the subject has another inode, so a record that was copied with it is not valid there. A subject that is moved,
 * mounted elsewhere or reached by a link keeps its record.
 */
export function identityOf({ change }: Pick<Paths, 'change'>): string {
  return nameOf(statSync(change, { bigint: true }))
}

function nameOf({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`
}

/**
 * The record of the server of these paths; `null` if there is none, if it is incomplete, or if it belongs to another subject.
 *
 * It is text with one `key value` pair a line, so that a shell can read it, too.
 */
export function readRecord(paths: Recorded): ServerRecord | null {
  const path = paths.record
  let text: string
  try {
    text = readPlainFile(path)
  } catch (error) {
    const code = errno(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw recordFailed(path, 'read', error)
  }
  const lines = text.split('\n').map((line): [string, string] => {
    const space = line.indexOf(' ')
    return [line.slice(0, space), line.slice(space + 1)]
  })
  const fields = new Map(lines)
  const pid = Number(fields.get('pid'))
  const signal = stopSignals.find((name) => name === fields.get('signal'))
  if (!Number.isSafeInteger(pid) || pid < 1 || signal === undefined) return null
  if (fields.get('of') !== identityOfOrNone(paths)) return null
  return {
    process: {
      pid,
      startTime: fields.get('start') ?? null,
      bootId: fields.get('boot') ?? null,
      pidNamespace: fields.get('namespace') ?? null,
    },
    signal,
    stillness: secondsIn(fields.get('still')) * 1000,
    worksHere: fields.get('cwd') === 'here',
    boundTo: fields.get('bound') ?? null,
    host: fields.get('host') ?? null,
    since: dateOf(fields.get('since')),
    pinned: fields.get('pinned') === 'yes',
    perishes: fields.get('perishes') === 'yes',
    linger: Math.round(secondsIn(fields.get('linger')) * 1000),
    joined: fields.get('joined') ?? '',
  }
}

function secondsIn(text: string | undefined): number {
  const number = Number(text ?? 0)
  return number > 0 && Number.isFinite(number) ? number : 0
}

/** Publishes the whole record, under change. If this process is root, the file belongs to the user of the paths. */
export function writeRecord(paths: Paths, change: HeldChange, record: ServerRecord): void {
  const {
    process: identity,
    signal,
    stillness,
    worksHere,
    boundTo,
    host,
    since,
    pinned,
    perishes,
    linger,
    joined,
  } = record
  const fields: [string, string | number | null][] = [
    ['pid', identity.pid],
    ['start', identity.startTime],
    ['boot', identity.bootId],
    ['namespace', identity.pidNamespace],
    ['of', nameOf(fstatSync(change.fd, { bigint: true }))],
    ['host', host],
    ['since', since?.toISOString() ?? null],
    ['signal', signal],
    ['still', stillness > 0 ? Math.ceil(stillness / 1000) : null],
    ['cwd', worksHere ? 'here' : null],
    // A value cannot contain a line break.
    ['bound', boundTo === null || /[\r\n]/.test(boundTo) ? null : boundTo],
    ['pinned', pinned ? 'yes' : null],
    ['perishes', perishes ? 'yes' : null],
    // The form that sleep(1) takes: seconds, without an exponent.
    ['linger', linger > 0 ? linger / 1000 : null],
    ['joined', joined === '' ? null : joined],
  ]
  const text = fields.map(([key, value]) => (value === null ? '' : `${key} ${value}\n`)).join('')
  const path = held(paths, change)
  const temporary = `${path}.new`
  try {
    // Only one process writes at a time, under change, so an existing temporary file was left by a killed process.
    rmSync(temporary, { force: true })
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants
    const fd = openSync(temporary, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o644)
    try {
      writeSync(fd, text)
      const { uid, gid } = childUser(paths)
      if (uid !== undefined || gid !== undefined) fchownSync(fd, uid ?? -1, gid ?? -1)
    } finally {
      closeSync(fd)
    }
    // The record is not synced, because after a crash of the machine the process that it names is dead.
    renameSync(temporary, path)
  } catch (error) {
    throw recordFailed(paths.record, 'write', error)
  }
}

/** The fields of a record for a process that was just launched. */
export function launchedNow(
  paths: Pick<Paths, 'use'>,
  cwd: string | null,
): Pick<ServerRecord, 'worksHere' | 'host' | 'since'> {
  return {
    worksHere: cwd !== null && isSame(cwd, dirname(paths.use)),
    // A value cannot contain a line break.
    host: hostname().split('\n')[0] || null,
    since: new Date(),
  }
}

/** Removes the record of a process that is gone, under change. */
export function removeRecord(paths: Paths, change: HeldChange): void {
  const path = held(paths, change)
  rmSync(path, { force: true })
  rmSync(`${path}.new`, { force: true })
}

/** Whether the record names exactly this process, so that the process is our server. */
export function names(
  record: ServerRecord | null,
  identity: ProcessIdentity | null,
): record is ServerRecord {
  return record !== null && identity !== null && isSameProcess(record.process, identity)
}

/** The record, if it names this process; `null` if somebody else started that, or no process is given. */
export function recordNaming(paths: Paths, process: ProcessIdentity | null): ServerRecord | null {
  const record = readRecord(paths)
  return names(record, process) ? record : null
}

function identityOfOrNone(paths: Pick<Paths, 'change'>): string | null {
  try {
    return identityOf(paths)
  } catch {
    return null // The file was removed.
  }
}

function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((path) =>
    statSync(path, { bigint: true, throwIfNoEntry: false }),
  )
  return first !== undefined && first.dev === second?.dev && first.ino === second.ino
}

function dateOf(text: string | undefined): Date | null {
  const date = new Date(text ?? '')
  return Number.isNaN(date.getTime()) ? null : date
}
