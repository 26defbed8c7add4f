import type { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { isLost } from '../server/connect.ts'
import { connectPatiently } from '../server/connect-patiently.ts'
import type { Workplace } from '../workplace.ts'

/** How long a process of the server may take to end after its connection, in ms. A later process may have its pid. */
const patience = 5_000

/** Parts of a client that node-postgres has, and its types lack. */
interface Session {
  /** The pid of the process of the server. */
  readonly processID: number
  /** Emits `errorMessage` for each error that the server sends. */
  readonly connection: EventEmitter
}

/** The connections that tests had and lost. The server may have crashed, and the other connections are lost in a moment. */
export class LostConnections {
  readonly #pids = new Set<number>()

  /** Watches a connection of a test. It counts as lost only while the test needs it. */
  watch(client: pg.Client, isNeeded: () => boolean): void {
    const { processID, connection } = client as unknown as Session
    const lose = () => {
      if (isNeeded()) this.#pids.add(processID)
    }
    // Not if a pool has ended it.
    client.once('error', lose)
    // A query that runs gets the server's last words before the connection ends.
    connection.on('errorMessage', (error: Error) => {
      if (isLost(error)) lose()
    })
  }

  /** The pids of their processes of the server. */
  get pids(): number[] {
    return [...this.#pids]
  }

  /** Forgets those that the server is known to have outlived; by default all, because there is another server. */
  forget(pids = this.pids): void {
    for (const pid of pids) this.#pids.delete(pid)
  }
}

/**
 * Makes sure that the server has outlived the loss of connections, given the pids of their processes. Rejects with the error of
 * a lost connection if the server was killed, or restarts its processes because one of them has crashed.
 *
 * The connections that we have prove nothing, because the processes of a killed server answer for a moment. Nobody cleans up
 * after a process that has crashed, so it is listed until all processes are restarted.
 */
export async function requireOutlived(place: Workplace, pids: readonly number[]): Promise<void> {
  const client = await connectPatiently(place, place.administrator.facts.database)
  try {
    const listed = 'SELECT FROM pg_catalog.pg_stat_activity WHERE pid = ANY ($1)'
    const deadline = performance.now() + patience
    while (((await client.query(listed, [pids])).rowCount ?? 0) > 0) {
      if (performance.now() > deadline) return
      await sleep(5)
    }
  } finally {
    await client.end().catch(() => undefined)
  }
}
