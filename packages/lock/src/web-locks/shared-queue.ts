import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { acquire } from '../waiting/acquire.ts'
import { LockError, fileError } from '../errors.ts'
import type { Lock } from '../lock.ts'
import { makeDirectories } from '../make-directories.ts'
import type { LockInfo, LockManagerSnapshot, Wanted } from './lock-options.ts'
import { Ticket, isAlive, readTicket, removeTicket } from './ticket.ts'
import { conflict, nextName, parseTicketName, type TicketName } from './ticket-name.ts'

/** How often the tickets of dead processes are removed, in ms. */
const untilTidied = 1_000

/**
 * What a request waits for: a ticket of this thread, or the path of another thread's ticket. `null`: it waits for nothing,
 * and holds the lock.
 */
export type Blocker = Ticket | string | null

/** A request that has a ticket. */
export interface Joined {
  readonly ticket: Ticket
  readonly blocker: Blocker
}

/**
 * The requests of all threads and processes for the locks of a directory. Each request has a ticket, and tickets are ordered.
 *
 * A request holds its lock if no conflicting ticket is before its own. So nothing records that a lock is held: it is held as
 * soon as the tickets before it are gone. Tickets are made, and listed, under the lock on the directory; they may be removed
 * at any time.
 */
export class SharedQueue {
  readonly #directory: string
  readonly #clientId: string
  /** The tickets of this thread, by the names of their files. */
  readonly #own = new Map<string, Ticket>()
  /** The tickets of this thread with a lock that was just stolen. */
  #robbed: Ticket[] = []
  /** The tickets in the directory while it is locked. */
  #listed: TicketName[] | null = null
  #visits: Visit[] = []
  #visiting = false
  #tidied = -Infinity

  constructor(directory: string, clientId: string) {
    this.#directory = directory
    this.#clientId = clientId
  }

  /**
   * Makes a ticket for a request, in the order of the calls. `null`: the lock is not available, or the signal was aborted
   * meanwhile. Rejects with a `LockError`.
   */
  async join(wanted: Wanted): Promise<Joined | null> {
    return this.#visit(true, async () => {
      if (wanted.signal?.aborted) return null
      if (wanted.way === 'steal') return this.#steal(wanted)
      const { name, mode } = wanted
      const all = this.#list()
      const ticketName = nextName(all, 'last', name, mode)
      const before = all.filter((one) => conflict(one, ticketName))
      if (wanted.way === 'ifAvailable' && (await this.#living(before)).length > 0) return null
      const ticket = await this.#make(ticketName, name)
      all.push(ticketName)
      return { ticket, blocker: wanted.way === 'wait' ? this.#blocker(before) : null }
    })
  }

  /** What a ticket waits for now; `undefined` if it was removed. */
  async blockerOf({ ticketName }: Ticket): Promise<Blocker | undefined> {
    return this.#visit(false, async () => {
      const all = this.#list()
      const place = all.findIndex(({ file }) => file === ticketName.file)
      if (place === -1) return undefined
      return this.#blocker(all.slice(0, place).filter((one) => conflict(one, ticketName)))
    })
  }

  /** Ends a ticket. `false`: the lock was stolen. Throws a `LockError`. */
  leave(ticket: Ticket, how: 'released' | 'withdrawn'): boolean {
    this.#own.delete(ticket.ticketName.file)
    return ticket.leave(how)
  }

  /** What is held and what is asked for. Rejects with a `LockError`. */
  async snapshot(): Promise<LockManagerSnapshot> {
    return this.#visit(false, async () => {
      const living = await this.#living(this.#list())
      const granted = new Set(grantedOf(living))
      const held: LockInfo[] = []
      const pending: LockInfo[] = []
      for (const one of living) {
        const text = this.#own.get(one.file)?.text ?? readTicket(this.#pathOf(one))
        if (text === null) continue
        const info = { name: text.name, mode: one.mode, clientId: text.clientId }
        ;(granted.has(one) ? held : pending).push(info)
      }
      return { held, pending }
    })
  }

  /** Makes a ticket before all others, and removes the tickets of the lock's holders. */
  async #steal({ name, mode }: Wanted): Promise<Joined> {
    // The ticket is made first: if the thief is killed now, nothing has been stolen.
    const ticket = await this.#make(nextName(this.#list(), 'first', name, mode), name)
    const { file, key } = ticket.ticketName
    let released: boolean
    do {
      released = false
      this.#listed = null
      const others = this.#list().filter((one) => one.key === key && one.file !== file)
      for (const one of grantedOf(await this.#living(others))) {
        const own = this.#own.get(one.file)
        // A lock that was just released has passed to the next tickets, and their owners may already know. So those are
        // robbed instead.
        if (!removeTicket(this.#pathOf(one))) released = true
        else if (own !== undefined) this.#robbed.push(own)
      }
    } while (released)
    this.#listed = null
    return { ticket, blocker: null }
  }

  async #make(ticketName: TicketName, name: string): Promise<Ticket> {
    const text = { name, clientId: this.#clientId }
    const ticket = await Ticket.make(this.#directory, ticketName, text)
    this.#own.set(ticketName.file, ticket)
    return ticket
  }

  /** The nearest of the tickets to wait for, which is the last one to go. */
  #blocker(before: TicketName[]): Blocker {
    const nearest = before.at(-1)
    if (nearest === undefined) return null
    return this.#own.get(nearest.file) ?? this.#pathOf(nearest)
  }

  /** The tickets of living owners. Removes the other tickets. */
  async #living(tickets: TicketName[]): Promise<TicketName[]> {
    const living: TicketName[] = []
    for (const one of tickets) {
      if (this.#own.has(one.file) || (await isAlive(this.#pathOf(one)))) living.push(one)
    }
    return living
  }

  /** All tickets that were there when the directory was locked, and the tickets made since. Some may have ended. */
  #list(): TicketName[] {
    return (this.#listed ??= this.#read())
  }

  #read(): TicketName[] {
    let files: string[]
    try {
      files = readdirSync(this.#directory)
    } catch (error) {
      throw fileError(error, this.#directory, 'read')
    }
    return files
      .toSorted()
      .map(parseTicketName)
      .filter((one) => one !== null)
  }

  #pathOf({ file }: TicketName): string {
    return join(this.#directory, file)
  }

  /**
   * Runs an action under the lock on the directory, in the order of the calls. With `create`, a missing directory is made.
   */
  async #visit<Result>(create: boolean, action: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const settle = async (): Promise<() => void> => {
        try {
          const result = await action()
          return () => resolve(result)
        } catch (error) {
          return () => reject(error)
        }
      }
      this.#visits.push({ create, settle, reject })
      if (!this.#visiting) void this.#serveVisits()
    })
  }

  async #serveVisits(): Promise<void> {
    this.#visiting = true
    while (this.#visits.length > 0) {
      let lock: Lock | null
      try {
        lock = await this.#lockDirectory()
      } catch (error) {
        for (const { reject } of this.#visits.splice(0)) reject(error)
        break
      }
      // There is no directory, so there are no tickets.
      if (lock === null) this.#listed = []
      const outcomes: (() => void)[] = []
      try {
        for (const { settle } of this.#visits.splice(0)) outcomes.push(await settle())
        await this.#tidy()
      } finally {
        this.#listed = null
        lock?.release()
      }
      // The callers are told only after the release, because what they do may take long.
      for (const ticket of this.#robbed.splice(0)) ticket.lose()
      for (const tell of outcomes) tell()
    }
    this.#visiting = false
  }

  /**
   * Removes the tickets of dead processes once in a while. A ticket that cannot be removed only matters to a request that
   * waits for it.
   */
  async #tidy(): Promise<void> {
    const now = performance.now()
    if (now - this.#tidied < untilTidied) return
    this.#tidied = now
    try {
      await this.#living(this.#list())
    } catch (error) {
      if (!(error instanceof LockError)) throw error
    }
  }

  /** `null`: the directory is missing, and callers who only look must not make it. */
  async #lockDirectory(): Promise<Lock | null> {
    // The slash says that it is a directory.
    const path = `${this.#directory}/`
    try {
      return await acquire(path)
    } catch (error) {
      if (!(error instanceof LockError && error.code === 'ERR_LOCK_NOT_FOUND')) throw error
    }
    if (!this.#visits.some(({ create }) => create)) return null
    try {
      makeDirectories(this.#directory)
    } catch (error) {
      throw fileError(error, this.#directory, 'make')
    }
    return acquire(path)
  }
}

interface Visit {
  readonly create: boolean
  /** Runs the action, and gives a function that tells the caller the outcome. */
  readonly settle: () => Promise<() => void>
  readonly reject: (error: unknown) => void
}

/** The tickets that hold their lock: no conflicting ticket is before them. */
function grantedOf(living: readonly TicketName[]): TicketName[] {
  const firsts = new Map<string, TicketName>()
  const closed = new Set<string>()
  return living.filter((one) => {
    const first = firsts.get(one.key)
    if (first === undefined) firsts.set(one.key, one)
    const granted = first === undefined || !(closed.has(one.key) || conflict(first, one))
    if (!granted) closed.add(one.key)
    return granted
  })
}
