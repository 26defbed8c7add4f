import { errno } from '@howdah/durable'
import { messageOf } from './caught.ts'
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
  | 'ERR_COORDINATE_PATHS'
  | 'ERR_COORDINATE_RECORD'
  | 'ERR_COORDINATE_TIMEOUT'
  | 'ERR_COORDINATE_UNKNOWN'
  | 'ERR_COORDINATE_UNSUPPORTED'
  | 'ERR_COORDINATE_USED_UP'
  | 'ERR_COORDINATE_WATCHDOG'

/** The fields of an error, so that no program has to parse its message. Errors of one code always have the same fields. */
type Fields = Omit<CoordinateError, keyof Error | 'code'>

/** The class of all errors of this package. An error has a permanent code, and a message that ends in a remedy. */
export class CoordinateError extends Error {
  override readonly name = 'CoordinateError'
  readonly code: CoordinateErrorCode
  /** The path that is locked, used or recorded: one of the `Paths`, or the subject's directory. */
  declare readonly path?: string | undefined
  /** `ERR_COORDINATE_IN_USE`: the processes that use the subject. */
  declare readonly users?: readonly User[] | undefined
  /** `ERR_COORDINATE_ELSEWHERE`: the facts about the server. Its pid is the pid inside the other container. */
  declare readonly server?: Pick<ServerRecord, 'process' | 'host' | 'since'> | null | undefined
  /** `ERR_COORDINATE_TIMEOUT`, in ms: the time that was allowed for the whole operation. */
  declare readonly timeout?: number | undefined
  /** `ERR_COORDINATE_LAUNCH`: the command that could not be run. */
  declare readonly command?: string | undefined

  constructor(
    code: CoordinateErrorCode,
    message: string,
    { cause, ...fields }: ErrorOptions & Fields = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    Object.assign(this, fields)
  }
}

/** The subject does not exist, and the caller did not want to create it. */
export function doesNotExist(path: string): CoordinateError {
  return new CoordinateError(
    'ERR_COORDINATE_DOES_NOT_EXIST',
    `what ${path} belongs to does not exist; create it first, or join without ifExists`,
    { path },
  )
}

/** The subject could not be changed, because somebody uses it. */
export function inUse(path: string, users: readonly User[], cause?: unknown): CoordinateError {
  return new CoordinateError(
    'ERR_COORDINATE_IN_USE',
    `what ${path} belongs to is in use${byUsers(users)}; end them, wait longer, or force it`,
    { cause, path, users },
  )
}

/**
 * A server lives that cannot be judged from here, for example in another container. Nothing was started beside it, signalled
 * or removed.
 */
export function inUseElsewhere(
  path: string,
  record: ServerRecord | null,
  cause?: unknown,
): CoordinateError {
  return new CoordinateError(
    'ERR_COORDINATE_ELSEWHERE',
    `${path} is in use in another container: its server lives${whereItLives(record)}, and cannot be judged from here; use it from there, or stop it there first`,
    {
      cause,
      path,
      server: record && { process: record.process, host: record.host, since: record.since },
    },
  )
}

/** The wait for a lock, or for a process that is starting or stopping by itself, took too long. */
export function timedOut(
  path: string,
  timeout: number,
  waitedFor: string,
  cause?: unknown,
): CoordinateError {
  return new CoordinateError(
    'ERR_COORDINATE_TIMEOUT',
    `waited for ${waitedFor} (${path}) longer than ${timeout} ms; wait longer, or end the process that holds it`,
    { cause, path, timeout },
  )
}

/** The handle was used up: it was left, released or converted to another handle. */
export function usedUp(handle: string, method: string, how: string): CoordinateError {
  return new CoordinateError(
    'ERR_COORDINATE_USED_UP',
    `${handle}.${method}() needs a handle that is still held, and this one was used up by ${how}; join again`,
  )
}

/** The subject cannot be pinned, because it does not run. */
export function notRunning(path: string): CoordinateError {
  return new CoordinateError(
    'ERR_COORDINATE_NOT_RUNNING',
    `what ${path} belongs to does not run; join it first, and pin it while it is used`,
  )
}

/** The process of the server could not be started, or could not run its command. */
export function launchFailed(command: string, why: string, cause?: unknown): CoordinateError {
  return new CoordinateError('ERR_COORDINATE_LAUNCH', `cannot launch ${command}: ${why}`, {
    cause,
    command,
  })
}

/** The watchdog could not be started. No server was started without it. */
export function watchdogFailed(why: string, cause?: unknown): CoordinateError {
  return new CoordinateError('ERR_COORDINATE_WATCHDOG', `cannot start the watchdog: ${why}`, {
    cause,
  })
}

/** The `Paths` cannot be used. */
export function unusablePaths(message: string): CoordinateError {
  return new CoordinateError('ERR_COORDINATE_PATHS', message)
}

/** An option is invalid. */
export function meaninglessOption(option: string, value: unknown, wanted: string): CoordinateError {
  return new CoordinateError(
    'ERR_COORDINATE_OPTION',
    `${option} is ${wanted}, not ${String(value)}; leave it out for the default`,
  )
}

/** The record of the running server could not be read or written. */
export function recordFailed(path: string, doing: string, cause: unknown): CoordinateError {
  return new CoordinateError(
    'ERR_COORDINATE_RECORD',
    errno(cause) === 'ERR_DURABLE_NOT_PLAIN'
      ? messageOf(cause)
      : `cannot ${doing} ${path}: ${messageOf(cause)}; make its directory writable for this user, or choose another place`,
    { cause, path },
  )
}

/** It cannot be found out whether a process is the recorded server. Nothing was started, signalled or removed. */
export function unknownProcess(pid: number): CoordinateError {
  return new CoordinateError(
    'ERR_COORDINATE_UNKNOWN',
    `cannot tell whether process ${pid} is the server that was started: its start time may not be seen from here; ` +
      'run this as its owner, outside of any sandbox',
  )
}

/** This platform lacks flock(2), which coordination needs. */
export function unsupported(): CoordinateError {
  return new CoordinateError(
    'ERR_COORDINATE_UNSUPPORTED',
    'Windows has no flock(2), on which sharing among processes rests; run this under Linux, WSL or macOS',
  )
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
