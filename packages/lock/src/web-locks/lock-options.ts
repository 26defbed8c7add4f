import type { LockMode } from '../lock-mode.ts'
import type { WebLock } from './web-lock.ts'

/** Options of a request. */
export interface LockOptions {
  /** `'exclusive'`, the default, or `'shared'`. */
  mode?: LockMode | undefined
  /** Do not wait: if the lock is not free at once, or others wait for it, the callback gets `null`. `false` by default. */
  ifAvailable?: boolean | undefined
  /**
   * Take the lock from its holders, and overtake all waiters; `false` by default. The promises of the old holders reject with
   * an `AbortError`, but their callbacks go on, and until they end the lock excludes nobody.
   */
  steal?: boolean | undefined
  /** Ends the wait; the promise then rejects with `signal.reason`. It has no effect once the callback was called. */
  signal?: AbortSignal | undefined
}

/**
 * Called with the lock, which is held until the callback's result has settled; called with `null` if `ifAvailable` is set
 * and the lock is not free.
 */
export type LockGrantedCallback<Result> = (lock: WebLock | null) => Result

/** A lock that is held, or asked for. */
export interface LockInfo {
  readonly name: string
  readonly mode: LockMode
  /** The thread: its process id, its number in the process, and random digits. */
  readonly clientId: string
}

/** The locks that are held and the requests that wait, each in the order of the requests. */
export interface LockManagerSnapshot {
  readonly held: LockInfo[]
  readonly pending: LockInfo[]
}

/** A checked request. */
export interface Wanted {
  readonly name: string
  readonly mode: LockMode
  readonly way: 'wait' | 'ifAvailable' | 'steal'
  readonly signal: AbortSignal | undefined
  readonly callback: LockGrantedCallback<unknown>
}

/**
 * Checks the arguments of a request, in the order of the standard. Throws a `TypeError`, a `DOMException` named
 * `NotSupportedError`, or the reason of an aborted signal.
 */
export function wantedOf(args: readonly unknown[]): Wanted {
  if (args.length < 2) throw new TypeError('request() takes a name and a callback')
  if (typeof args[0] === 'symbol') throw new TypeError('the name of a lock is a string')
  const name = String(args[0])
  const [options, callback] = args.length === 2 ? [undefined, args[1]] : [args[1], args[2]]
  const given = options ?? {}
  if (typeof given !== 'object' && typeof given !== 'function')
    throw new TypeError('the options of request() are an object')
  const { mode = 'exclusive', ifAvailable, steal, signal } = given as LockOptions
  if (mode !== 'exclusive' && mode !== 'shared')
    throw new TypeError(`the mode of a lock is 'exclusive' or 'shared', not ${String(mode)}`)
  if (signal !== undefined && !((signal as unknown) instanceof AbortSignal))
    throw new TypeError('the option signal is an AbortSignal')
  if (typeof callback !== 'function') throw new TypeError('the callback of request() is a function')

  if (name.startsWith('-')) throw notSupported('the name of a lock does not begin with "-"')
  if (steal && ifAvailable) throw notSupported('steal and ifAvailable exclude each other')
  if (steal && mode !== 'exclusive') throw notSupported('only an exclusive lock can be stolen')
  if (signal && (steal || ifAvailable))
    throw notSupported('signal is for a wait: leave out steal and ifAvailable')
  signal?.throwIfAborted()
  return {
    name,
    mode,
    way: steal ? 'steal' : ifAvailable ? 'ifAvailable' : 'wait',
    signal,
    callback: callback as LockGrantedCallback<unknown>,
  }
}

function notSupported(message: string): DOMException {
  return new DOMException(message, 'NotSupportedError')
}
