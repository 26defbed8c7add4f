import { setTimeout as sleep } from 'node:timers/promises'
import { type Ownership, ownership, type Shared } from '@howdah/coordinate'
import { DataDirectory } from '@howdah/data-directory'
import { postgres } from '../server.ts'
import { knownUsersOf } from '@howdah/known-clusters'
import type { LaunchOptions } from '../subject.ts'
import { connectedClients, type ConnectedClient } from '../without-driver/connected-clients.ts'
import { findAddress } from './find-address.ts'

/** How long ending clients may take, in ms. */
const patience = 500

/**
 * The clients that a program has left open while the last user is about to stop the server. `ours` are the backends of the
 * session's own clients, which are not waited for. Empty if the server goes on anyway, because others use it or it is pinned.
 */
export async function clientsLeftOpen(
  dataDir: string,
  { paths, subject }: Shared<LaunchOptions>,
  ours: ReadonlySet<number>,
): Promise<readonly ConnectedClient[]> {
  const goesOn: readonly Ownership[] = ['pinned', 'foreign']
  if (goesOn.includes(await ownership(paths, subject))) return []
  // Usually there are none. To ask who holds a lock takes longer, because the kernel first waits for all processors.
  if ((await clientsOf(dataDir)).length === 0) return []
  if ((await knownUsersOf(new DataDirectory(dataDir))).some(({ pid }) => pid !== process.pid))
    return []
  return await lastingClients(dataDir, ours)
}

/** The clients that are still connected after a moment, in which those that are ending have gone. `ours` are not waited for. */
export async function lastingClients(
  dataDir: string,
  ours: ReadonlySet<number>,
): Promise<readonly ConnectedClient[]> {
  const deadline = performance.now() + patience
  for (;;) {
    const clients = await clientsOf(dataDir)
    const isPatient = performance.now() <= deadline && clients.some(({ pid }) => !ours.has(pid))
    if (!isPatient) return clients
    await sleep(10)
  }
}

/** The clients that are connected to the server of a cluster; none if it does not run, or does not answer. */
export async function clientsOf(dataDir: string): Promise<readonly ConnectedClient[]> {
  // Without a server or its socket, no client can be named.
  const address = await findAddress(new DataDirectory(dataDir), false).catch(() => null)
  return (address && (await connectedClients(address, postgres))) ?? []
}

/** Resolves when no client is connected any more, or no server runs. It does not keep the process alive. */
export async function whenAllHaveGone(dataDir: string): Promise<void> {
  do await sleep(200, undefined, { ref: false })
  while ((await clientsOf(dataDir)).length > 0)
}

/** The message about clients that were left open. */
export function describeLeftOpen(dataDir: string, clients: readonly ConnectedClient[]): string {
  const each = clients.slice(0, 5).map(({ application, user, database, state, query, pid }) => {
    const who = application === '' ? `a client` : `"${application}"`
    const last = query === '' ? '' : `, last query: ${query}`
    return `${who} as "${user}" on database "${database}" (${state}, backend ${pid}${last})`
  })
  const more = clients.length > 5 ? ` and ${clients.length - 5} more` : ''
  return (
    `still connected at the end: ${each.join('; ')}${more}; the server on ${dataDir} is stopped when they have gone, ` +
    'at the latest with this process; end clients and pools before leave()'
  )
}
