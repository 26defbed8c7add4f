import type { Socket } from 'node:net'

// Source: "Message Flow" and "Message Formats" in the chapter on the protocol of PostgreSQL's manual.

const protocol = 196_608
/** The message with which a client ends the connection. */
export const terminate = Buffer.from([0x58, 0, 0, 0, 4])

/** The message with which a client starts the connection. */
export function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const text = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`)
  const body = Buffer.from(`${text.join('')}\0`)
  const header = Buffer.alloc(8)
  header.writeInt32BE(header.length + body.length, 0)
  header.writeInt32BE(protocol, 4)
  return Buffer.concat([header, body])
}

/** The server's messages. Each has a letter, the length of the rest, and the rest. */
export async function* messages(socket: Socket): AsyncGenerator<{ kind: string; body: Buffer }> {
  let received = Buffer.alloc(0)
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    received = Buffer.concat([received, chunk as Buffer])
    while (received.length >= 5 && received.length >= 1 + received.readInt32BE(1)) {
      const end = 1 + received.readInt32BE(1)
      yield { kind: received.toString('latin1', 0, 1), body: received.subarray(5, end) }
      received = received.subarray(end)
    }
  }
}
