import { once } from 'node:events'
import { createServer } from 'node:net'
import type { DataDirectory } from '../data-directory.ts'
import { denied } from './errors.ts'

/**
 * Throws `ERR_CLUSTER_DENIED` if this process, and so a server that it starts, may not listen on a Unix socket in a
 * directory of `dataDir`: it takes less than a millisecond to find out, and a cluster takes a hundred to make.
 *
 * Anything else that goes wrong is left to the server to say. So is what cannot be tried from here: shared memory.
 */
export async function requireSockets(within: DataDirectory, dataDir: string): Promise<void> {
  const server = createServer()
  try {
    server.listen(within.file('probe'))
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return
    const refusal = 'to listen on a Unix socket: socket(2), bind(2) or listen(2)'
    throw denied(dataDir, refusal, { cause: error })
  }
}
