import { readFileSync, unlinkSync, watch, writeSync, type FSWatcher } from 'node:fs'
import { join } from 'node:path'
import { errno } from '@howdah/durable'
import { acquire, tryAcquire } from '../waiting/acquire.ts'
import { LockError, fileError, type LockErrorCode } from '../errors.ts'
import type { Lock } from '../lock.ts'
import type { TicketName } from './ticket-name.ts'

/** How long a lock is held before it is watched whether somebody steals it, in ms; short holds find out at their end. */
const untilWatched = 10

/** How often to look whether a lock was stolen, in ms, if the system does not tell. */
const untilLooking = 1_000

/** What is written in a ticket. */
export interface TicketText {
  readonly name: string
  readonly clientId: string
}

/**
 * A request of this thread: a file that is locked by flock(2) while the request waits and while its lock is held.
 *
 * Who removes the file ends it: the owner, who releases; a thief; or, after the owner has died, the next one to notice.
 */
export class Ticket {
  readonly ticketName: TicketName
  readonly text: TicketText
  /** Resolves when it has ended: by the release of the lock, or otherwise. */
  readonly gone: Promise<'released' | 'withdrawn'>
  readonly #path: string
  readonly #lock: Lock
  #tellGone: (how: 'released' | 'withdrawn') => void = () => {}
  #onStolen: () => void = () => {}
  #stopWatching: () => void = () => {}

  private constructor(path: string, ticketName: TicketName, text: TicketText, lock: Lock) {
    this.ticketName = ticketName
    this.text = text
    this.#path = path
    this.#lock = lock
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve
    })
  }

  /** Makes one. Rejects with a `LockError`. */
  static async make(directory: string, ticketName: TicketName, text: TicketText): Promise<Ticket> {
    const path = join(directory, ticketName.file)
    const lock = await acquire(path, { fair: false })
    try {
      writeSync(lock.fd, JSON.stringify(text))
    } catch (error) {
      removeTicket(path)
      lock.release()
      throw fileError(error, path, 'write')
    }
    return new Ticket(path, ticketName, text, lock)
  }

  /**
   * Ends it, by releasing the lock or otherwise. `false`: it had ended, because somebody has stolen the lock. Throws a
   * `LockError` if it cannot be removed.
   */
  leave(how: 'released' | 'withdrawn'): boolean {
    let left = false
    try {
      left = this.#lock.held && removeTicket(this.#path)
    } finally {
      this.#end(left ? how : 'withdrawn')
    }
    return left
  }

  /** Whether somebody has ended it. */
  get ended(): boolean {
    return !this.#lock.held || !this.#lock.isCurrent()
  }

  /** Calls `tell`, once, soon after somebody has stolen the lock, unless the ticket has ended. */
  whenStolen(tell: () => void): void {
    this.#onStolen = tell
    const look = (): void => {
      if (this.#lock.held && !this.#lock.isCurrent()) this.lose()
    }
    let watcher: FSWatcher | undefined
    // These timers also keep the lock from being collected as garbage while the callback runs for ever.
    const looking = setInterval(look, untilLooking).unref()
    const watching = setTimeout(() => {
      try {
        watcher = watch(this.#path, { persistent: false }, look).on('error', () => watcher?.close())
      } catch {
        // It was stolen, or there are no watches left.
      }
      look()
    }, untilWatched).unref()
    this.#stopWatching = () => {
      clearInterval(looking)
      clearTimeout(watching)
      watcher?.close()
    }
  }

  /** Ends it, because somebody has stolen the lock. */
  lose(): void {
    this.#end('withdrawn')
    this.#onStolen()
  }

  #end(how: 'released' | 'withdrawn'): void {
    this.#stopWatching()
    this.#lock.release()
    this.#tellGone(how)
  }
}

/** Whether the owner of a ticket lives, or may live. One of a dead owner is removed. Rejects with a `LockError`. */
export async function isAlive(path: string): Promise<boolean> {
  try {
    const lock = await tryAcquire(path, { mode: 'shared', create: false })
    if (lock === null) return true
    removeDead(path, lock)
    return false
  } catch (error) {
    if (isCode(error, 'ERR_LOCK_NOT_FOUND')) return false
    // Another user's, which cannot be opened.
    if (isCode(error, 'ERR_LOCK_PERMISSION')) return true
    throw error
  }
}

/** Waits in the kernel until a ticket has ended. Rejects with the signal's reason, or a `LockError`. */
export async function untilGone(path: string, signal: AbortSignal | undefined): Promise<void> {
  try {
    removeDead(path, await acquire(path, { mode: 'shared', create: false, fair: false, signal }))
  } catch (error) {
    if (!isCode(error, 'ERR_LOCK_NOT_FOUND')) throw error
  }
}

/** What is written in a ticket; `null` if it is gone, or was never finished. */
export function readTicket(path: string): TicketText | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TicketText
  } catch (error) {
    if (error instanceof SyntaxError || errno(error) === 'ENOENT') return null
    throw fileError(error, path, 'read')
  }
}

/** Removes a ticket. `false`: it is gone. Throws a `LockError`. */
export function removeTicket(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    if (errno(error) === 'ENOENT') return false
    throw fileError(error, path, 'remove')
  }
}

function removeDead(path: string, lock: Lock): void {
  try {
    removeTicket(path)
  } finally {
    lock.release()
  }
}

function isCode(error: unknown, code: LockErrorCode): boolean {
  return error instanceof LockError && error.code === code
}
