import { hostname } from 'node:os'
import type pg from 'pg'
import { Client } from 'pg'
import type { TestServer } from './test-server.ts'

/** A process, as people find it: `pid@host`. */
export function thisProcess(): string {
  return `${process.pid}@${hostname()}`
}

/** What clients of a database are made with. On the server they are called by our process. */
export function clientOptionsOf(server: TestServer, database: string): pg.ClientConfig {
  const application_name = `howdah-testing ${thisProcess()}`.slice(0, 63)
  return { ...server.clientOptions(database), application_name }
}

/** Connects to a database. A connection that is lost later ends, and ends no process. */
export async function connect(server: TestServer, database: string): Promise<pg.Client> {
  const client = new Client(clientOptionsOf(server, database))
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** Whether an error is PostgreSQL's, with one of these SQLSTATEs. */
export function isState(error: unknown, ...states: readonly string[]): boolean {
  return states.includes((error as { code?: string }).code ?? '')
}

/** Whether an error says that the server or the connection to it has gone. */
export function isLost(error: unknown): boolean {
  const { code = '', message = '' } = error as Partial<NodeJS.ErrnoException>
  return (
    /^(57P0[1-3]|08...|ECONNRESET|ECONNREFUSED|EPIPE|ENOENT|ERR_CLUSTER_NOT_RUNNING)$/.test(code) ||
    /Connection terminated|not queryable|Client was closed/.test(message)
  )
}
