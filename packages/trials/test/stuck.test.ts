import { readFileSync } from 'node:fs'
import { linuxOnly, temporaryDirectory, until } from '@howdah/fixtures'
import { liveness } from '@howdah/lock'
import { describe, expect, it } from 'vitest'
import { Cluster } from '@howdah/cluster'
import { diagnose } from '@howdah/doctor'
import { everyPostgres, newest, processOf } from '@howdah/postgres-fixtures'

const quits = /was told to stop and stood still for 3 s.*; it was told to quit, and its next start/

// Most of the time they wait for servers that do not answer.
describe.concurrent(
  'a server that is to stop',
  linuxOnly('/proc, which tells which processes stand still'),
  () => {
    it.each(everyPostgres.filter(({ major }) => [10, 13, 18].includes(major)))(
      'while it recovers from the crash of a backend is gone soon, and loses nothing ($name)',
      async ({ strategy }) => {
        using home = temporaryDirectory()
        const notices: string[] = []
        const onNotice = (notice: string) => notices.push(notice)
        const cluster = new Cluster(home.file('data'), { strategy, onNotice })
        {
          await using session = await cluster.run()
          const client = await session.connect()
          await client.query('CREATE TABLE kept AS SELECT generate_series(1, 5000) AS n')
          const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
          process.kill(rows[0]!.pid, 'SIGKILL')
          await until('it begins to recover', () =>
            readFileSync(cluster.logFile, 'utf8').includes('reinitializing'),
          )
          // On 18 it stands still then. On others it stops by itself.
          expect(await session.leave()).toBe('stopped')
        }
        expect(notices.filter((notice) => !quits.test(notice))).toEqual([])
        await using session = await cluster.run()
        const client = await session.connect()
        expect((await client.query('SELECT count(*)::int AS n FROM kept')).rows).toEqual([
          { n: 5000 },
        ])
      },
    )

    it('and stands still is told to quit, and a notice says so', async () => {
      using home = temporaryDirectory()
      const notices: string[] = []
      const onNotice = (notice: string) => notices.push(notice)
      const cluster = new Cluster(home.file('data'), { strategy: newest.strategy, onNotice })
      await using session = await cluster.run()
      process.kill(await processOf(session, 'checkpointer'), 'SIGSTOP')
      expect(await session.leave()).toBe('stopped')
      expect(notices).toEqual([expect.stringMatching(quits)])
      expect(await cluster.running()).toBe(false)
    })

    it('and is suspended is continued', async () => {
      using home = temporaryDirectory()
      const notices: string[] = []
      const onNotice = (notice: string) => notices.push(notice)
      const cluster = new Cluster(home.file('data'), { strategy: newest.strategy, onNotice })
      await using session = await cluster.run()
      const status = await cluster.status()
      if (status.state === 'running') process.kill(status.pid, 'SIGSTOP')
      expect(await session.leave()).toBe('stopped')
      expect(notices).toEqual([])
    })

    it('by another process, and stands still, is found by doctor, which ends it', async () => {
      using home = temporaryDirectory()
      const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
      await cluster.start()
      const status = await cluster.status()
      if (status.state !== 'running') throw new Error('it does not run')
      const look = async (fix: boolean) =>
        await diagnose({
          dataDirs: [cluster.dataDir],
          scope: 'clusters',
          strategy: newest.strategy,
          fix,
        })
      expect(await look(false)).toEqual([])
      process.kill(await processOf(await cluster.server(), 'checkpointer'), 'SIGSTOP')
      const { pid } = status
      process.kill(pid, 'SIGINT')
      await until('it is stopping', () =>
        readFileSync(cluster.pidFile, 'utf8').includes('stopping'),
      )
      expect(await look(false)).toEqual([
        expect.objectContaining({
          check: 'stuck-servers',
          subject: { path: cluster.dataDir, pid },
        }),
      ])
      expect(await look(true)).toEqual([
        expect.objectContaining({ check: 'stuck-servers', fixed: true }),
      ])
      const identity = { pid, startTime: null, bootId: null, pidNamespace: null }
      expect(liveness(identity)).toBe('dead')
      await using session = await cluster.run()
      expect(await session.databases()).toContain('postgres')
    })
  },
)
