import { setTimeout as sleep } from 'node:timers/promises'
import type { WaitOptions } from '@howdah/coordinate'
import { type DataDirectory, findPostmaster } from '@howdah/data-directory'
import { notReady, notRunning } from '../errors.ts'
import { FailedRecovery } from './failed-recovery.ts'
import { defaultPatience } from './reload.ts'

/**
 * The SQLSTATEs of temporary refusals: cannot_connect_now (the server starts, recovers or shuts down), and the two with which
 * a server ends sessions after the crash of one of its processes and at its shutdown.
 */
const passing = new Set(['57P01', '57P02', '57P03'])

/** The errors of opening a connection while the server's processes end. */
const lost = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE'])

/**
 * Connects to a server, and waits while it accepts no connections, for example because it recovers from the crash of one of
 * its processes.
 *
 * Each attempt is a new call of `connect`. A server of ours that has given up to recover is ended. Throws
 * `ERR_CLUSTER_NOT_READY` if the server accepts no connections for `timeout` ms, by default 60,000 as for a start, and
 * `ERR_CLUSTER_NOT_RUNNING` if it has ended.
 */
export async function whenReady<Connection>(
  directory: DataDirectory,
  connect: () => Promise<Connection>,
  { timeout = defaultPatience, signal, onWait }: WaitOptions = {},
): Promise<Connection> {
  const deadline = performance.now() + timeout
  const recovery = new FailedRecovery(directory)
  const ending = new AbortController()
  try {
    for (let told = false; ; told = true) {
      let refusal: Error
      try {
        return await connect()
      } catch (error) {
        if (!(await mayPass(directory, error))) throw error
        refusal = error as Error
      }
      signal?.throwIfAborted()
      await recovery.end()
      if (performance.now() > deadline) throw notReady(directory.path, timeout, refusal)
      const what = `the server on ${directory.path}: ${refusal.message}`
      const { signal: over } = ending
      if (!told) onWait?.({ for: 'process', path: directory.pidFile, holders: [], what, over })
      await sleep(20)
    }
  } finally {
    ending.abort()
  }
}

async function mayPass(directory: DataDirectory, error: unknown): Promise<boolean> {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (passing.has(code)) return true
  // node-postgres says so if the connection ended while it was being opened.
  const isLost = lost.has(code) || message.startsWith('Connection terminated')
  if (!isLost) return false
  if ((await findPostmaster(directory)) === null) throw notRunning(directory.path)
  return true
}
