import { connect, type Socket } from 'node:net'
import type { Address } from './address.ts'

const protocol = 196_608
/** The message by which a client goes. */
export const terminate = Buffer.from([0x58, 0, 0, 0, 4])

/**
 * Whether a server has a database, by nothing but the opening of a connection to it: that needs no driver, which takes
 * Node longer to load than all the rest. `null` where it answers something else, or wants a password first. Throws an
 * error with the code `57P03` while the server lets nobody in, and `EPERM` where a sandbox denies connections.
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
  const answer = await answerOf(socket).catch(reasonOf)
  if (answer === 'admitted') socket.write(terminate)
  socket.destroySoon()
  if (answer instanceof Error) throw answer
  return answer === 'unknown' ? null : answer === 'admitted'
}

/** Only a filter of system calls says this of connect(2). */
function reasonOf(error: unknown): Answer {
  const { code, syscall } = error as NodeJS.ErrnoException
  return code === 'EPERM' && syscall === 'connect' ? (error as Error) : 'unknown'
}

type Answer = 'admitted' | 'missing' | 'unknown' | Error

async function answerOf(socket: Socket): Promise<Answer> {
  let received = Buffer.alloc(0)
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    received = Buffer.concat([received, chunk as Buffer])
    const answer = read(received)
    if (answer !== 'unfinished') return answer
  }
  return 'unknown'
}

/** The message by which a client comes. */
export function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const text = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`)
  const body = Buffer.from(`${text.join('')}\0`)
  const header = Buffer.alloc(8)
  header.writeInt32BE(header.length + body.length, 0)
  header.writeInt32BE(protocol, 4)
  return Buffer.concat([header, body])
}

/** What the server's messages come to; each is a letter, the length of the rest, and the rest. */
function read(received: Buffer): 'unfinished' | Answer {
  for (let at = 0; received.length >= at + 5;) {
    const end = at + 1 + received.readInt32BE(at + 1)
    if (received.length < end) return 'unfinished'
    const kind = String.fromCodePoint(received[at] ?? 0)
    const body = received.subarray(at + 5, end)
    if (kind === 'Z') return 'admitted'
    if (kind === 'E') return refusal(body)
    if (kind === 'R' && body.readInt32BE(0) !== 0) return 'unknown'
    at = end
  }
  return 'unfinished'
}

/** What an error comes to. Its fields are a letter and a text each; `C` is its code, and `M` its message. */
function refusal(body: Buffer): Answer {
  const fields = body.toString('utf8').split('\0')
  const field = (letter: string) => fields.find((one) => one.startsWith(letter))?.slice(1) ?? ''
  const code = field('C')
  if (code === '3D000') return 'missing'
  return code === '57P03' ? Object.assign(new Error(field('M')), { code }) : 'unknown'
}
