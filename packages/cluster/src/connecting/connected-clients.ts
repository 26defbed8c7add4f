import { connect, type Socket } from 'node:net'
import type { Address } from './address.ts'
import { messages, startup, terminate } from './protocol.ts'

/** A client of a server, from `pg_stat_activity`. */
export interface ConnectedClient {
  /** The pid of its backend. */
  readonly pid: number
  readonly user: string
  readonly database: string
  readonly application: string
  /** `idle`, `active`, `idle in transaction`, … */
  readonly state: string
  /** The first 100 characters of its present or last query. */
  readonly query: string
}

/** How long a server may be silent, in ms. */
const patience = 500

const sql = `SELECT pid::text, usename::text, datname::text, application_name, coalesce(state, ''),
  substr(regexp_replace(query, '\\s+', ' ', 'g'), 1, 100) FROM pg_catalog.pg_stat_activity
  WHERE backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid() ORDER BY backend_start`

/**
 * The clients of a server. It is asked over its socket without a driver, because loading one takes Node longer than
 * everything else. `null` if the server answers something else, or is silent for half a second, as a suspended server is.
 */
export async function connectedClients(
  { host, port, user }: Address,
  database: string,
): Promise<ConnectedClient[] | null> {
  const socket = connect(`${host}/.s.PGSQL.${port}`)
  socket.on('error', () => undefined)
  socket.setTimeout(patience, () => socket.destroy())
  socket.write(startup({ user, database, application_name: 'howdah', client_encoding: 'UTF8' }))
  const rows = await rowsOf(socket).catch(() => null)
  socket.destroy()
  return (
    rows?.map(([pid, name = '', where = '', application = '', state = '', query = '']) => {
      return { pid: Number(pid), user: name, database: where, application, state, query }
    }) ?? null
  )
}

async function rowsOf(socket: Socket): Promise<string[][] | null> {
  const rows: string[][] = []
  let isAsked = false
  for await (const { kind, body } of messages(socket)) {
    if (kind === 'D') rows.push(fieldsOf(body))
    if (kind === 'E' || (kind === 'R' && body.readInt32BE(0) !== 0)) return null
    if (kind !== 'Z') continue
    socket.write(isAsked ? terminate : question())
    if (isAsked) return rows
    isAsked = true
  }
  return null
}

function question(): Buffer {
  const text = Buffer.from(`${sql}\0`)
  const header = Buffer.from('Q\0\0\0\0')
  header.writeInt32BE(4 + text.length, 1)
  return Buffer.concat([header, text])
}

/** The values of a row. Each has a length and a text; the length -1 means NULL. */
function fieldsOf(body: Buffer): string[] {
  const fields: string[] = []
  for (let at = 2; at + 4 <= body.length;) {
    const length = Math.max(body.readInt32BE(at), 0)
    fields.push(body.toString('utf8', at + 4, at + 4 + length))
    at += 4 + length
  }
  return fields
}
