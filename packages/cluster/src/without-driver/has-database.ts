import { connect, type Socket } from 'node:net'
import type { Address } from '../connecting/address.ts'
import { messages, startup, terminate } from '@howdah/data-directory'
import { questioner } from './rows-from.ts'

/**
 * Whether a server has a database. It only opens a connection, so it needs no driver, which takes Node longer to load than
 * everything else. `null` if the server answers something else, wants a password first, or has no socket. Throws an error with
 * the code `57P03` while the server lets nobody in, `ECONNREFUSED` or `ECONNRESET` if it ends, and `EPERM` if a sandbox denies
 * connections.
 */
export async function hasDatabase(address: Address, database: string): Promise<boolean | null> {
  const { host, port, user } = address
  if (!host.startsWith('/') || `${user}${database}`.includes('\0')) return null
  const socket = connect(`${host}/.s.PGSQL.${port}`)
  // Errors after the answer do not matter.
  socket.on('error', () => undefined)
  socket.write(startup({ user, database, application_name: questioner }))
  const answer = await answerOf(socket).catch(reasonOf)
  if (answer === 'admitted') socket.write(terminate)
  socket.destroySoon()
  if (answer instanceof Error) throw answer
  return answer === 'unknown' ? null : answer === 'admitted'
}

/** Only a filter of system calls makes connect(2) fail with EPERM. */
function reasonOf(error: unknown): Answer {
  const { code, syscall } = error as NodeJS.ErrnoException
  const isDenied = code === 'EPERM' && syscall === 'connect'
  return isDenied || code === 'ECONNREFUSED' || code === 'ECONNRESET' ? (error as Error) : 'unknown'
}

type Answer = 'admitted' | 'missing' | 'unknown' | Error

/** The answer in the server's messages. */
async function answerOf(socket: Socket): Promise<Answer> {
  for await (const { kind, body } of messages(socket)) {
    if (kind === 'Z') return 'admitted'
    if (kind === 'E') return refusal(body)
    if (kind === 'R' && body.readInt32BE(0) !== 0) return 'unknown'
  }
  if (socket.bytesRead > 0) return 'unknown'
  const message = 'the server closed the connection without an answer'
  throw Object.assign(new Error(message), { code: 'ECONNRESET' })
}

/** The answer in an error message. Each field has a letter and a text; `C` is the code, and `M` the message. */
function refusal(body: Buffer): Answer {
  const fields = body.toString('utf8').split('\0')
  const field = (letter: string) => fields.find((one) => one.startsWith(letter))?.slice(1) ?? ''
  const code = field('C')
  if (code === '3D000') return 'missing'
  return code === '57P03' ? Object.assign(new Error(field('M')), { code }) : 'unknown'
}
