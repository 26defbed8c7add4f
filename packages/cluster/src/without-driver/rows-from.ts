import { connect, type Socket } from 'node:net'
import type { Address } from '../connecting/address.ts'
import { messages, startup, terminate } from '@howdah/data-directory'

/** The `application_name` of the connections by which we ask a server. They are no clients: they end by themselves. */
export const questioner = 'howdah question'
/** How long a server may be silent, in ms. */
const patience = 500

/**
 * Asks a server over its socket without a driver, because loading one takes Node longer than everything else. Gives the rows, with
 * their values as texts, and NULL as an empty one.
 *
 * `null` if the server has no socket or answers something else, or is silent for half a second, as a suspended server is.
 */
export async function rowsFrom(
  { host, port, user }: Address,
  database: string,
  sql: string,
): Promise<string[][] | null> {
  if (!host.startsWith('/') || `${user}${database}${sql}`.includes('\0')) return null
  const socket = connect(`${host}/.s.PGSQL.${port}`)
  socket.on('error', () => undefined)
  socket.setTimeout(patience, () => socket.destroy())
  socket.write(startup({ user, database, application_name: questioner, client_encoding: 'UTF8' }))
  const rows = await answerOf(socket, sql).catch(() => null)
  socket.destroy()
  return rows
}

async function answerOf(socket: Socket, sql: string): Promise<string[][] | null> {
  const rows: string[][] = []
  let isAsked = false
  for await (const { kind, body } of messages(socket)) {
    if (kind === 'D') rows.push(fieldsOf(body))
    if (kind === 'E' || (kind === 'R' && body.readInt32BE(0) !== 0)) return null
    if (kind !== 'Z') continue
    socket.write(isAsked ? terminate : question(sql))
    if (isAsked) return rows
    isAsked = true
  }
  return null
}

function question(sql: string): Buffer {
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
