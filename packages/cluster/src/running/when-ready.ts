import { setTimeout as sleep } from 'node:timers/promises'
import type { Wait } from '@howdah/coordinate'
import { type DataDirectory, findPostmaster } from '@howdah/data-directory'
import { notReady, notRunning } from '../errors.ts'
import { defaultPatience } from './reload.ts'

/** How long to wait for a server that runs and lets nobody in yet. */
export interface ReadyOptions {
  /** In ms; 60,000 by default, as for a start. */
  readonly timeout?: number | undefined
  /** Ends the waiting; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Told, once, what is waited for. */
  readonly onWait?: ((wait: Wait) => void) | undefined
}

/**
 * SQLSTATEs that pass by themselves: cannot_connect_now (it starts, recovers or shuts down), and the two by which a server
 * ends the sessions when one of its processes has crashed or when it shuts down.
 */
const passing = new Set(['57P01', '57P02', '57P03'])

/** What becomes of a connection when the server's processes end while it is being opened. */
const lost = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE'])

/**
 * Connects to a server, and waits while it lets nobody in: after a crash of one of its processes it recovers for a while.
 *
 * Each attempt is a new call of `connect`. Throws `ERR_CLUSTER_NOT_READY` when the server lets nobody in for too long, and
 * `ERR_CLUSTER_NOT_RUNNING` when it has gone.
 */
export async function whenReady<Connection>(
  directory: DataDirectory,
  connect: () => Promise<Connection>,
  { timeout = defaultPatience, signal, onWait }: ReadyOptions = {},
): Promise<Connection> {
  const deadline = performance.now() + timeout
  for (let told = false; ; told = true) {
    let refusal: Error
    try {
      return await connect()
    } catch (error) {
      if (!(await mayPass(directory, error))) throw error
      refusal = error as Error
    }
    signal?.throwIfAborted()
    if (performance.now() > deadline) throw notReady(directory.path, timeout, refusal)
    const what = `the server on ${directory.path}: ${refusal.message}`
    if (!told) onWait?.({ for: 'process', path: directory.pidFile, holders: [], what })
    await sleep(20)
  }
}

async function mayPass(directory: DataDirectory, error: unknown): Promise<boolean> {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (passing.has(code)) return true
  // These are node-postgres's words for a connection that has ended before it was one.
  const isLost = lost.has(code) || message.startsWith('Connection terminated')
  if (!isLost) return false
  if ((await findPostmaster(directory)) === null) throw notRunning(directory.path)
  return true
}
