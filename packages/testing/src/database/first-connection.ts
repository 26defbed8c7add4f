import type pg from 'pg'
import { holdProcess } from '../server/idle.ts'

/** The class of clients that a pool makes. */
type ClientClass = new (options?: pg.ClientConfig) => pg.Client

/**
 * A client class for a pool. The first client is one that is already connected. A pool calls `new`, and then `connect` with a
 * callback.
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
    return Object.assign(first, { connect })
  }
  return make as unknown as ClientClass
}
