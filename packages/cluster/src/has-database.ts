import { connect } from 'node:net'
import type { Address } from './server.ts'

const protocol = 196_608
const terminate = Buffer.from([0x58, 0, 0, 0, 4])

/**
 * Whether a server has a database, by nothing but the opening of a connection to it: that needs no driver, which takes
 * Node longer to load than all the rest. `null` where it answers something else, or wants a password first.
 *
 * Source: "Message Flow" and "Message Formats" in the chapter on the protocol of PostgreSQL's manual.
 */
export async function hasDatabase(address: Address, database: string): Promise<boolean | null> {
  const { host, port, user } = address
  if (!host.startsWith('/') || `${user}${database}`.includes('\0')) return null
  const socket = connect(`${host}/.s.PGSQL.${port}`)
  // What comes after the answer changes nothing.
  socket.on('error', () => undefined)
  socket.write(startup({ user, database, application_name: 'howdah' }))
  let received = Buffer.alloc(0)
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      received = Buffer.concat([received, chunk as Buffer])
      const answer = read(received)
      if (answer === 'admitted') socket.write(terminate)
      if (answer !== 'unfinished') return answer === 'unknown' ? null : answer === 'admitted'
    }
    return null
  } catch {
    return null
  } finally {
    socket.destroySoon()
  }
}

function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const text = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`)
  const body = Buffer.from(`${text.join('')}\0`)
  const header = Buffer.alloc(8)
  header.writeInt32BE(header.length + body.length, 0)
  header.writeInt32BE(protocol, 4)
  return Buffer.concat([header, body])
}

/** What the server's messages come to; each is a letter, the length of the rest, and the rest. */
function read(received: Buffer): 'unfinished' | 'admitted' | 'missing' | 'unknown' {
  for (let at = 0; received.length >= at + 5;) {
    const end = at + 1 + received.readInt32BE(at + 1)
    if (received.length < end) return 'unfinished'
    const kind = String.fromCodePoint(received[at] ?? 0)
    const body = received.subarray(at + 5, end)
    if (kind === 'Z') return 'admitted'
    if (kind === 'E') return sqlState(body) === '3D000' ? 'missing' : 'unknown'
    if (kind === 'R' && body.readInt32BE(0) !== 0) return 'unknown'
    at = end
  }
  return 'unfinished'
}

/** The code of an error, whose fields are a letter and a text each. */
function sqlState(body: Buffer): string | undefined {
  const fields = body.toString('latin1').split('\0')
  return fields.find((field) => field.startsWith('C'))?.slice(1)
}
