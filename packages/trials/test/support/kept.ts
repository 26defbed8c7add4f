import type pg from 'pg'
import type { Cluster, Server } from '@howdah/cluster'

/** A cluster with a table of numbers, of which it is known which were committed for certain. */
export class Kept {
  readonly cluster: Cluster
  readonly committed: number[] = []
  #next = 1

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  /** Writes on a running server, each number a transaction of its own, until it is stopped or cannot go on. */
  async writing(): Promise<{ stop(): Promise<void> }> {
    const client = await (await this.cluster.server()).connect()
    // A server that is killed ends it.
    client.on('error', () => undefined)
    let stopped = false
    const writing = this.#write(client, () => stopped)
    return {
      stop: async () => {
        stopped = true
        await writing
        await client.end().catch(() => undefined)
      },
    }
  }

  /** Those committed numbers that a server, of this cluster or of a copy, does not have. */
  async missingFrom(server: Server, committed: readonly number[] = this.committed) {
    const client = await server.connect()
    try {
      const { rows } = await client.query<{ n: number }>('SELECT n FROM kept')
      const there = new Set(rows.map(({ n }) => n))
      return committed.filter((n) => !there.has(n))
    } finally {
      await client.end()
    }
  }

  async #write(client: pg.Client, isOver: () => boolean): Promise<void> {
    try {
      while (!isOver()) {
        // Whether one was committed whose answer never came, nobody knows; it is not tried again.
        const n = this.#next++
        await client.query('INSERT INTO kept VALUES ($1)', [n])
        this.committed.push(n)
      }
    } catch {
      // The server was killed, or is shutting down.
    }
  }
}
