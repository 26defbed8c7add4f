import { backUpCluster, cloneCluster } from '@howdah/backup'
import { readFileSync } from 'node:fs'
import type { Wait } from '@howdah/coordinate'
import { linuxOnly, temporaryDirectory, type TemporaryDirectory, until } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Cluster } from '@howdah/cluster'
import { newest, startupOf } from '@howdah/postgres-fixtures'

let home: TemporaryDirectory
let cluster: Cluster

beforeEach(async () => {
  home = temporaryDirectory()
  cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
})

afterEach(async () => {
  await cluster.stop({ force: true })
  home[Symbol.dispose]()
})

/** Kills a backend, and holds the server while it recovers. What is returned lets it go on. */
async function heldInRecovery(): Promise<() => void> {
  const status = await cluster.status()
  if (status.state !== 'running') throw new Error('it does not run')
  const startup = () => startupOf(status.pid)
  return await until('it was caught', async () => {
    const client = await (await cluster.server()).connect()
    client.on('error', () => undefined)
    await client.query('CREATE TABLE IF NOT EXISTS much AS SELECT generate_series(1, 50000) AS n')
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    process.kill(rows[0]!.pid, 'SIGKILL')
    // It may be over before it is seen.
    const pid = await until('it recovers', startup, 2000).catch(() => null)
    if (pid === null) return null
    process.kill(pid, 'SIGSTOP')
    if (startup() !== pid) return null
    return () => process.kill(pid, 'SIGCONT')
  })
}

describe(
  'while a server recovers from a crash',
  linuxOnly('/proc, which tells the children of a server'),
  () => {
    it.each<[string, () => Promise<unknown>]>([
      ['joining', async () => await (await cluster.run()).leave()],
      [
        'joining with a new database',
        async () => await (await cluster.run({ database: 'a' })).leave(),
      ],
      ['joining over TCP', async () => await (await cluster.run({ tcp: true })).leave()],
      ['making a database', async () => await (await cluster.server()).createDatabase('b')],
      ['connecting', async () => await (await (await cluster.server()).connect()).end()],
      ['looking at its settings', async () => await (await cluster.server()).settings.get('port')],
      ['its mode', async () => await cluster.mode()],
      ['its superusers', async () => await cluster.superusers()],
      ['backing up', async () => await backUpCluster(cluster, { into: home.file('backups') })],
      ['cloning', async () => await cloneCluster(cluster, { to: home.file('copy') })],
    ])('%s waits', async (_, action) => {
      await cluster.start({ tcp: true })
      const release = await heldInRecovery()
      const refused = () =>
        readFileSync(cluster.logFile, 'utf8').split('FATAL:  the database system is ').length
      const before = refused()
      let isOver = false
      const done = action().finally(() => (isOver = true))
      await until('it was refused', () => isOver || refused() > before)
      expect(isOver).toBe(false)
      release()
      await done
    })

    it('the wait ends after the timeout of a start, and on a signal', async () => {
      await cluster.start()
      const release = await heldInRecovery()
      await expect(cluster.run({ timeout: 100 })).rejects.toMatchObject({
        code: 'ERR_CLUSTER_NOT_READY',
        message: expect.stringMatching(
          / has let nobody in for 100 ms: the database system is .*; /,
        ),
      })
      const controller = new AbortController()
      const waits: Wait[] = []
      const onWait = (wait: Wait) => {
        waits.push(wait)
        controller.abort(new Error('enough'))
      }
      await expect(cluster.run({ signal: controller.signal, onWait })).rejects.toThrow('enough')
      expect(waits).toEqual([
        expect.objectContaining({
          over: expect.objectContaining({ aborted: true }),
          what: expect.stringMatching(
            /^the server on \/.*: the database system is (starting|in|not) /,
          ),
        }),
      ])
      release()
      await using session = await cluster.run()
      expect(session.started).toBe('unmodified')
    })
  },
)
