import type pg from 'pg'
import { holdProcess } from '../server/idle.ts'

/** The class of clients that a pool makes. */
type ClientClass = new (options?: pg.ClientConfig) => pg.Client

/**
 * A connection is ended so many ms after its database was given back, because the end of a server process, which takes a
 * millisecond of CPU time, would delay the first queries of the next test.
 */
const courtesy = 10

/** Ends a connection a moment later. The process may end before. */
export function endSoon(end: () => Promise<void>): void {
  setTimeout(() => void end().catch(() => undefined), courtesy).unref()
}

/**
 * A client class for a pool. The first client is one that is already connected. A pool calls `new`, then `connect` with a
 * callback, and at last `end` with a callback, after which the connection is ended soon.
 */
export function startingWith(first: pg.Client, Client: ClientClass): ClientClass {
  let isTaken = false
  const make = function make(options?: pg.ClientConfig): pg.Client {
    if (isTaken) return new Client(options)
    isTaken = true
    const connect = (done: (error?: Error) => void) => {
      holdProcess(first)
      done()
    }
    const endNow = first.end.bind(first)
    const end = (done?: () => void) => {
      if (done === undefined) return endNow()
      endSoon(endNow)
      return done()
    }
    return Object.assign(first, { connect, end })
  }
  return make as unknown as ClientClass
}
