import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { constants } from 'node:os'
import { join } from 'node:path'
import { trySharedMemory } from '@howdah/lock'
import type { DataDirectory } from '../data-directory.ts'
import { fitsSocket } from '../server/socket-path.ts'
import { HeldDirectory } from '../tree/held-directory.ts'
import { denied } from './errors.ts'

/**
 * Throws `ERR_CLUSTER_DENIED` if this process, and so a server that it starts, may not listen on a Unix socket in a
 * directory of `dataDir`, or gets no System V shared memory: it takes less than a millisecond to find out, and a cluster takes
 * a hundred to make, a server forty to say so.
 *
 * Anything else that goes wrong is left to the server to say, and so are sockets if the path is too long for one and there is
 * no /proc.
 */
export async function refuseSandbox(within: DataDirectory, dataDir: string): Promise<void> {
  await requireSockets(within, dataDir)
  requireSharedMemory(dataDir)
}

async function requireSockets(within: DataDirectory, dataDir: string): Promise<void> {
  const server = createServer()
  try {
    using directory = HeldDirectory.follow(within.here)
    const probe = join(directory.path, 'probe')
    if (!fitsSocket(probe)) return
    server.listen(probe)
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    // A process was killed after it had made the socket, which the next one can make again.
    if (code === 'EADDRINUSE') rmSync(within.file('probe'), { force: true })
    if (code !== 'EPERM' || syscall === 'open') return
    const refusal = 'to listen on a Unix socket: socket(2), bind(2) or listen(2)'
    throw denied(dataDir, refusal, { cause: error })
  }
}

/** ENOSYS is the error of a call that a filter hides. */
const refusals: ReadonlySet<number | null> = new Set([
  constants.errno.EPERM,
  constants.errno.EACCES,
  constants.errno.ENOSYS,
])

function requireSharedMemory(dataDir: string): void {
  if (refusals.has(trySharedMemory())) throw denied(dataDir, 'System V shared memory, shmget(2)')
}
