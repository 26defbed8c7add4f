import type pg from 'pg'

/** A server that a test connects to. */
export interface Connectable {
  connect(): Promise<pg.Client>
}
