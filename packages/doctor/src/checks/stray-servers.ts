import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { liveness } from '@howdah/lock'
import { Cluster } from '@howdah/cluster'
import {
  type DataDirectory,
  isChild,
  type PostgresProcess,
  postgresProcesses,
} from '@howdah/data-directory'
import { stopPostmaster } from '@howdah/cluster/inside'
import type { RegisteredServer } from '@howdah/known-clusters'
import { Alone, busy, isWatched } from '../alone.ts'
import type { Check, Complaint } from '../check.ts'
import { ofEach, unknown } from '../of-each.ts'
import type { Scene } from '../scene.ts'

/** Running servers that nobody will stop: their data directory was removed, or their last user and watchdog were killed. */
export const strayServers: Check = {
  name: 'stray-servers',
  async examine(scene) {
    if (scene.processes === null) return [cannotSee]
    const unwatched = await ofEach(
      scene,
      async (directory) => await unwatchedServer(directory, scene),
    )
    const { registered } = scene
    return 'error' in registered
      ? [unknown(registered.error), ...withoutDirectory(scene.processes, []), ...unwatched]
      : [...withoutDirectory(scene.processes, registered), ...unwatched]
  },
}

const cannotSee: Complaint = {
  severity: 'notice',
  subject: {},
  what: 'the system does not tell in which directories servers work, so those that run on without theirs are not found',
  cure: 'on a Mac, run this outside of the sandbox; elsewhere look for processes called postgres with ps(1)',
}

/** The processes in the removed directory that are not children of another one there. */
function withoutDirectory(
  processes: readonly PostgresProcess[],
  registered: readonly RegisteredServer[],
): Complaint[] {
  const removed = processes.filter(({ place }) => place === 'removed')
  const pids = new Set(removed.map(({ identity }) => identity.pid))
  return removed
    .filter(({ parent }) => !pids.has(parent))
    .map((server): Complaint => {
      const { pid } = server.identity
      const isBackend = isChild(server)
      const isOurs = !isBackend && registered.some((one) => isRegistered(server, one))
      const who = isBackend ? 'a backend of a server that was killed' : 'a server'
      return {
        severity: 'warning',
        subject: { path: server.dataDir, pid },
        what: `${who} runs on (pid ${pid}), although its data directory ${server.dataDir} was removed`,
        cure: `end it with: kill -QUIT ${pid}`,
        mend: isOurs ? async () => await quit(server) : undefined,
      }
    })
}

/**
 * Whether howdah has started the server: it is registered, with its pid and start time, by its own user or by root.
 */
function isRegistered(
  { identity, dataDir, uid }: PostgresProcess,
  registered: RegisteredServer,
): boolean {
  const { pid, startTime, bootId } = registered.identity
  return (
    registered.dataDir === dataDir &&
    (registered.uid === uid || registered.uid === 0) &&
    pid === identity.pid &&
    startTime === identity.startTime &&
    bootId === identity.bootId
  )
}

/** Sends SIGQUIT, because there is nothing left to shut down cleanly. Unlike SIGKILL, it frees the shared memory. */
async function quit(server: PostgresProcess): Promise<string | null> {
  const now = (await postgresProcesses([server.dataDir]))?.find(
    ({ identity }) => identity.pid === server.identity.pid,
  )
  if (now?.place !== 'removed' || now.identity.startTime !== server.identity.startTime) return null
  process.kill(now.identity.pid, 'SIGQUIT')
  const deadline = performance.now() + 15_000
  while (liveness(now.identity) !== 'dead') {
    if (performance.now() > deadline) return 'it was told to quit, and has not ended within 15 s'
    await sleep(10)
  }
  return null
}

/** A server of howdah's that is not pinned and has no users and no watchdog. */
async function unwatchedServer(directory: DataDirectory, scene: Scene): Promise<Complaint[]> {
  const pid = await ownServer(directory, scene)
  if (pid === null) return []
  {
    using alone = await Alone.try(directory)
    if (alone === null || (await isWatched(directory))) return []
    if ((await ownServer(directory, scene)) !== pid) return []
  }
  const { path } = directory
  return [
    {
      severity: 'warning',
      subject: { path, pid },
      what: `the server on ${path} (pid ${pid}) runs without users, and its watchdog is gone, so nobody will stop it`,
      cure: 'stop it, or use it: the last user to leave stops it',
      mend: async () => {
        using alone = await Alone.with(directory)
        if (alone === null || (await isWatched(directory))) return busy
        if ((await ownServer(directory, scene)) !== pid) return null
        await stopPostmaster(directory, { timeout: 30_000 })
        await rm(directory.by(alone.change).record, { force: true })
        return null
      },
    },
  ]
}

/** The pid of an unpinned server that howdah has started; `null` if there is none or it is unknown. */
async function ownServer({ path }: DataDirectory, { strategy }: Scene): Promise<number | null> {
  // Other checks report errors here.
  const status = await new Cluster(path, { strategy }).status().catch(() => null)
  return status?.state === 'running' && status.ours && !status.pinned ? status.pid : null
}
