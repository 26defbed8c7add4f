import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** In ms: how long a server on this machine may take to say a single letter. */
const patience = 2000

/**
 * Whether a server encrypts connections over TCP, by asking it as a client does: it answers `S` or `N`. `null` if it does
 * not answer.
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
