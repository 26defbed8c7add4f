import type pg from 'pg'
import { connectPatiently } from '../server/connect-patiently.ts'
import { letProcessEnd } from '../server/idle.ts'
import type { Workplace } from '../workplace.ts'

/** A new, unused database with a connection. */
export interface Fresh {
  readonly name: string
  readonly client: pg.Client
  /** Whether the connection is still open. */
  isOpen(): boolean
}

/** Connects to an unused database. */
export async function openFresh(place: Workplace, name: string): Promise<Fresh> {
  const client = await connectPatiently(place, name)
  let isOpen = true
  client.once('end', () => {
    isOpen = false
  })
  letProcessEnd(client)
  return { name, client, isOpen: () => isOpen }
}
