import { existsSync } from 'node:fs'
import type { Wait } from '@howdah/coordinate'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { acquire } from '@howdah/lock'
import { describe, expect, it } from 'vitest'
import { Cluster, type WaitingOptions } from '../../src/index.ts'
import { newest, processOf } from '@howdah/postgres-fixtures'

const { strategy } = newest

describe.each([
  ['stop', true],
  ['destroy', true],
  ['superusers', true],
  ['superusers', false],
  ['mode', true],
  ['mode', false],
] as const)('%s, with a server: %s', (call, runs) => {
  it('waits for a process that changes the cluster, says so, and ends by time or signal', async () => {
    using home = temporaryDirectory()
    const cluster = new Cluster(home.file('data'), { strategy })
    await (runs ? cluster.start() : cluster.create())
    const lock = await acquire(cluster.dataDir)
    const waits: Wait[] = []
    const ask = async (options: WaitingOptions) =>
      await cluster[call]({ ...options, onWait: (wait) => waits.push(wait) })
    try {
      await expect(ask({ waitTimeout: 20 })).rejects.toMatchObject({
        code: 'ERR_COORDINATE_TIMEOUT',
      })
      const abort = new AbortController()
      const reason = new Error('enough')
      // The first one may have been out of time before it waited.
      const before = waits.length
      const asking = ask({ signal: abort.signal })
      await until('it says what it waits for', () => waits.length > before)
      abort.abort(reason)
      await expect(asking).rejects.toBe(reason)
      const wait = { for: 'change', path: cluster.dataDir }
      expect(waits).toMatchObject(waits.length === 2 ? [wait, wait] : [wait])
    } finally {
      lock.release()
    }
    await ask({ waitTimeout: 60_000 })
    await cluster.stop()
  })
})

describe('a server that takes long to shut down', () => {
  it('is waited for until the signal, and goes on shutting down then', async () => {
    using home = temporaryDirectory()
    const cluster = new Cluster(home.file('data'), { strategy })
    for (const call of ['stop', 'destroy'] as const) {
      await cluster.start()
      const { pid } = (await cluster.status()) as { pid: number }
      // A postmaster that is suspended is continued. It waits for its last checkpoint.
      const checkpointer = await processOf(await cluster.server(), 'checkpointer')
      process.kill(checkpointer, 'SIGSTOP')
      try {
        await expect(cluster[call]({ timeout: 20 })).rejects.toMatchObject({
          code: 'ERR_CLUSTER_STOP_FAILED',
          pid,
        })
        await expect(cluster[call]({ signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
          name: 'TimeoutError',
        })
      } finally {
        process.kill(checkpointer, 'SIGCONT')
      }
      await until('it has stopped', async () => !(await cluster.running()), 60_000)
    }
    expect(await cluster.destroy()).toBe('modified')
    expect(existsSync(cluster.dataDir)).toBe(false)
  })
})
