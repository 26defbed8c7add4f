import { readFileSync, unlinkSync, watch, writeSync, type FSWatcher } from 'node:fs'
import { join } from 'node:path'
import { errno } from '@howdah/durable'
import { acquire, tryAcquire } from '../waiting/acquire.ts'
import { LockError, fileError, type LockErrorCode } from '../errors.ts'
import type { Lock } from '../lock.ts'
import type { TicketName } from './ticket-name.ts'

/** After how many ms of holding a lock to watch for theft. A shorter hold learns of a theft at its release. */
const untilWatched = 10

/** How often to check whether a lock was stolen, in ms, in case the system does not notify us. */
const untilLooking = 1_000

/** The content of a ticket. */
export interface TicketText {
  readonly name: string
  readonly clientId: string
}

/**
 * A request of this thread: a file that is locked by flock(2) while the request waits and while its lock is held.
 *
 * The request ends when its file is removed: by the owner at the release, by a thief, or, if the owner is dead, by the first
 * process that notices.
 */
export class Ticket {
  readonly ticketName: TicketName
  readonly text: TicketText
  /** Resolves when the ticket has ended: `'released'` if its lock was held and released, else `'withdrawn'`. */
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

  /** Makes a ticket. Rejects with a `LockError`. */
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
   * Ends the ticket. `false`: it had already ended, because somebody has stolen the lock. Throws a `LockError` if the file
   * cannot be removed.
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

  /** Whether the ticket has ended. */
  get ended(): boolean {
    return !this.#lock.held || !this.#lock.isCurrent()
  }

  /** Calls `tell` once, soon after somebody has stolen the lock, unless the ticket has ended before. */
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
        // The ticket was stolen, or the system has no watches left.
      }
      look()
    }, untilWatched).unref()
    this.#stopWatching = () => {
      clearInterval(looking)
      clearTimeout(watching)
      watcher?.close()
    }
  }

  /** Ends the ticket, because somebody has stolen the lock. */
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

/** Whether the owner of a ticket lives, or may live. The ticket of a dead owner is removed. Rejects with a `LockError`. */
export async function isAlive(path: string): Promise<boolean> {
  try {
    const lock = await tryAcquire(path, { mode: 'shared', create: false })
    if (lock === null) return true
    removeDead(path, lock)
    return false
  } catch (error) {
    if (isCode(error, 'ERR_LOCK_NOT_FOUND')) return false
    // The ticket belongs to another user and cannot be opened.
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

/** The content of a ticket; `null` if the ticket is gone, or was never finished. */
export function readTicket(path: string): TicketText | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TicketText
  } catch (error) {
    if (error instanceof SyntaxError || errno(error) === 'ENOENT') return null
    throw fileError(error, path, 'read')
  }
}

/** Removes a ticket. `false`: it was already gone. Throws a `LockError`. */
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
