import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long a server on this machine may take to send one letter, in ms. */
const patience = 2000

/**
 * Whether a server encrypts connections over TCP. It asks as a client does, and the server answers `S` or `N`. `null` if the
 * server does not answer.
 *
 * Source: "SSL Session Encryption" in the chapter on the protocol of PostgreSQL's manual.
 */
export async function acceptsSsl(host: string, port: number): Promise<boolean | null> {
  const request = Buffer.alloc(8)
  request.writeInt32BE(request.length, 0)
  request.writeInt32BE(80_877_103, 4)
  const socket = connect(port, host)
  const ending = new AbortController()
  try {
    socket.write(request)
    const answer = once(socket, 'data', { signal: ending.signal }) as Promise<[Buffer]>
    const given = await Promise.race([answer, sleep(patience, null, { signal: ending.signal })])
    return given === null ? null : given[0].toString('latin1', 0, 1) === 'S'
  } catch {
    return null
  } finally {
    ending.abort()
    socket.destroy()
  }
}
