import { hostname } from 'node:os'
import type pg from 'pg'
import { Client } from 'pg'
import type { ReachableServer } from './test-server.ts'

/** This process in the form `pid@host`. */
export function thisProcess(): string {
  return `${process.pid}@${hostname()}`
}

/** The options for clients of a database. The server shows them under the name of our process. */
export function clientOptionsOf(server: ReachableServer, database: string): pg.ClientConfig {
  const application_name = `howdah-testing ${thisProcess()}`.slice(0, 63)
  return { ...server.clientOptions(database), application_name }
}

/** Connects to a database. If the connection is lost later, this does not end the process. */
export async function connect(server: ReachableServer, database: string): Promise<pg.Client> {
  const client = new Client(clientOptionsOf(server, database))
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** Whether an error is one of PostgreSQL's with one of these SQLSTATEs. */
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
