import { errno } from '@howdah/durable'
import type pg from 'pg'
import { noSocketLogin } from '../errors.ts'

/** Opens a connection. If it is lost while it is idle, this process goes on. Throws as `Server.connect` does. */
export async function openClient(dataDir: string, options: pg.ClientConfig): Promise<pg.Client> {
  const { default: pg } = await import('pg')
  const client = new pg.Client(options)
  // Before it connects: a server that ends may say so together with its welcome. Without a listener, that ends this process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return client
  } catch (error) {
    // invalid_password, or node-postgres has none to send.
    const wantsPassword = errno(error) === '28P01' || /^SASL\b/.test((error as Error).message)
    if (!wantsPassword || !client.host.startsWith('/')) throw error
    throw noSocketLogin(dataDir, client.user ?? '', error as Error)
  }
}
