import { codeOf, messageOf } from './caught.ts'
import type { ServerRecord } from './record/server-record.ts'
import type { User } from './user.ts'

/** The codes of this package's errors. They are permanent: match on them, not on messages or classes. */
export type CoordinateErrorCode =
  | 'ERR_COORDINATE_DOES_NOT_EXIST'
  | 'ERR_COORDINATE_ELSEWHERE'
  | 'ERR_COORDINATE_IN_USE'
  | 'ERR_COORDINATE_LAUNCH'
  | 'ERR_COORDINATE_NOT_RUNNING'
  | 'ERR_COORDINATE_OPTION'
  | 'ERR_COORDINATE_PLACE'
  | 'ERR_COORDINATE_RECORD'
  | 'ERR_COORDINATE_TIMEOUT'
  | 'ERR_COORDINATE_UNSUPPORTED'
  | 'ERR_COORDINATE_USED_UP'
  | 'ERR_COORDINATE_WATCHDOG'

/** What every error of this package derives from. */
export class CoordinateError extends Error {
  override readonly name: string = 'CoordinateError'
  readonly code: CoordinateErrorCode

  constructor(code: CoordinateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The subject does not exist, and was not to be created. */
export class DoesNotExistError extends CoordinateError {
  override readonly name = 'DoesNotExistError'
  /** The file that would be locked by its users. */
  readonly path: string

  constructor(path: string) {
    super(
      'ERR_COORDINATE_DOES_NOT_EXIST',
      `what ${path} belongs to does not exist; create it first, or join without ifExists`,
    )
    this.path = path
  }
}

/** The subject was to be changed, and somebody uses it. */
export class InUseError extends CoordinateError {
  override readonly name = 'InUseError'
  readonly path: string
  readonly users: readonly User[]

  constructor(path: string, users: readonly User[], cause?: unknown) {
    super(
      'ERR_COORDINATE_IN_USE',
      `what ${path} belongs to is in use${byUsers(users)}; end them, wait longer, or force it`,
      { cause },
    )
    this.path = path
    this.users = users
  }
}

/**
 * A server lives, and cannot be judged from here, as in another container: nothing was started beside it, signalled or
 * removed.
 */
export class InUseElsewhereError extends CoordinateError {
  override readonly name = 'InUseElsewhereError'
  /** What is in use: the subject's directory, or the file of the change lock. */
  readonly path: string
  /** What is known of the server: its pid as it is counted there, its pid namespace, host and start. */
  readonly server: Pick<ServerRecord, 'process' | 'host' | 'since'> | null

  constructor(path: string, record: ServerRecord | null, cause?: unknown) {
    super(
      'ERR_COORDINATE_ELSEWHERE',
      `${path} is in use in another container: its server lives${whereItLives(record)}, and cannot be judged from here; use it from there, or stop it there first`,
      cause === undefined ? {} : { cause },
    )
    this.path = path
    this.server = record && { process: record.process, host: record.host, since: record.since }
  }
}

/** A lock, or a process that comes up or goes down by itself, was waited for too long. */
export class TimeoutError extends CoordinateError {
  override readonly name = 'TimeoutError'
  readonly path: string
  /** How long was allowed for everything, in milliseconds. */
  readonly timeout: number

  constructor(path: string, timeout: number, waitedFor: string, cause?: unknown) {
    super(
      'ERR_COORDINATE_TIMEOUT',
      `waited for ${waitedFor} (${path}) longer than ${timeout} ms; wait longer, or end who holds it`,
      { cause },
    )
    this.path = path
    this.timeout = timeout
  }
}

/** The handle was used up: it was left, released or turned into another one. */
export class UsedUpError extends CoordinateError {
  override readonly name = 'UsedUpError'

  constructor(handle: string, method: string, how: string) {
    super(
      'ERR_COORDINATE_USED_UP',
      `${handle}.${method}() needs a handle that is still held, and this one was used up by ${how}; join again`,
    )
  }
}

/** The subject was to be pinned, and does not run. */
export class NotRunningError extends CoordinateError {
  override readonly name = 'NotRunningError'

  constructor(path: string) {
    super(
      'ERR_COORDINATE_NOT_RUNNING',
      `what ${path} belongs to does not run; join it first, and pin it while it is used`,
    )
  }
}

/** The server's process could not be brought up far enough to run its command. */
export class LaunchError extends CoordinateError {
  override readonly name = 'LaunchError'
  readonly command: string

  constructor(command: string, why: string, cause?: unknown) {
    super('ERR_COORDINATE_LAUNCH', `cannot launch ${command}: ${why}`, { cause })
    this.command = command
  }
}

/** The watchdog could not be started; nothing was started that it would have had to watch. */
export class WatchdogError extends CoordinateError {
  override readonly name = 'WatchdogError'

  constructor(why: string, cause?: unknown) {
    super('ERR_COORDINATE_WATCHDOG', `cannot start the watchdog: ${why}`, { cause })
  }
}

/** The paths given as the place of coordination cannot be used. */
export class PlaceError extends CoordinateError {
  override readonly name = 'PlaceError'

  constructor(message: string) {
    super('ERR_COORDINATE_PLACE', message)
  }
}

/** An option that means nothing. */
export class OptionError extends CoordinateError {
  override readonly name = 'OptionError'

  constructor(option: string, value: unknown, wanted: string) {
    super(
      'ERR_COORDINATE_OPTION',
      `${option} is ${wanted}, not ${String(value)}; leave it out for the default`,
    )
  }
}

/** The record of who runs could not be read or written. */
export class RecordError extends CoordinateError {
  override readonly name = 'RecordError'
  readonly path: string

  constructor(path: string, doing: string, cause: unknown) {
    super(
      'ERR_COORDINATE_RECORD',
      codeOf(cause) === 'ERR_DURABLE_NOT_PLAIN'
        ? messageOf(cause)
        : `cannot ${doing} ${path}: ${messageOf(cause)}; make its directory writable for this user, or choose another place`,
      { cause },
    )
    this.path = path
  }
}

/** This platform lacks what coordination rests on. */
export class UnsupportedError extends CoordinateError {
  override readonly name = 'UnsupportedError'

  constructor() {
    super(
      'ERR_COORDINATE_UNSUPPORTED',
      'Windows has no flock(2), on which sharing among processes rests; run this under Linux, WSL or macOS',
    )
  }
}

function whereItLives(record: ServerRecord | null): string {
  if (record === null) return ''
  const { process, host, since } = record
  const known = [
    `pid ${process.pid} as it is counted there`,
    process.pidNamespace,
    host === null ? null : `host ${host}`,
    since === null ? null : `since ${since.toISOString()}`,
  ]
  return ` (${known.filter((one) => one !== null).join(', ')})`
}

function byUsers(users: readonly User[]): string {
  if (users.length === 0) return ''
  const named = users.map(
    ({ pid, command }) => `pid ${pid}${command === null ? '' : ` (${command})`}`,
  )
  return ` by ${named.join(', ')}`
}
