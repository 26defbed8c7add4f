import { backUpCluster, restoreCluster } from '../src/index.ts'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cluster } from '@howdah/cluster'
import { verifyBackups } from '../src/index.ts'
import { newest, readRows, Worker, Writer } from '@howdah/postgres-fixtures'

const { strategy } = newest
/** In ms: on a busy machine. */
const patience = 180_000

it(
  'keeps as many backups as it is told, with the WAL that they need, and no more',
  async () => {
    using home = temporaryDirectory()
    const into = home.file('backups')
    const cluster = new Cluster(home.file('data'), { strategy })
    let written = 0
    const write = async () => {
      await using session = await cluster.run()
      await (await Writer.on(session, written + 1)).write()
      written += 1
    }
    const segments = () =>
      readdirSync(home.file('backups', 'wal')).filter((name) => /^[\dA-F]{24}/.test(name))
    await write()
    for (const keep of [0, -1, 1.5]) {
      await expect(backUpCluster(cluster, { into, keep })).rejects.toThrow(RangeError)
    }
    expect(await backUpCluster(cluster, { into, keep: 2 })).toMatchObject({
      number: 1,
      expired: [],
    })
    await write()
    const second = await backUpCluster(cluster, { into, keep: 2 })
    expect(second).toMatchObject({ number: 2, expired: [] })
    await write()
    writeFileSync(home.file('backups', 'wal', '00000009.history'), '')
    expect(await backUpCluster(cluster, { into, keep: 2 })).toMatchObject({
      number: 3,
      expired: [1],
    })
    await write()
    expect(segments().toSorted()[0]!.slice(0, 24)).toBe(second.startWalFile)
    expect(readdirSync(home.file('backups', 'wal'))).toContain('00000009.history')
    rmSync(home.file('backups', 'wal', '00000009.history'))
    expect(await verifyBackups(into)).toMatchObject({
      backups: [{ number: 2 }, { number: 3 }],
      findings: [],
    })
    // One whose record is damaged is none of those that are kept.
    rmSync(home.file('backups', 'data.0000000003', 'howdah.backup'))
    expect(await backUpCluster(cluster, { into, keep: 2 })).toMatchObject({
      number: 4,
      expired: [],
    })
    expect(await backUpCluster(cluster, { into, keep: 1 })).toMatchObject({
      number: 5,
      expired: [2, 3, 4],
    })
    expect((await verifyBackups(into)).findings).toEqual([])
    const restored = new Cluster(home.file('restored'), { strategy })
    await restoreCluster(restored, { from: into })
    await using session = await restored.run()
    expect(await readRows(session)).toEqual(Array.from({ length: written }, (_, at) => at + 1))
  },
  patience,
)

describe('may be killed', () => {
  const home = temporaryDirectory()
  const into = home.file('backups')
  const cluster = new Cluster(home.file('data'), { strategy })
  // Each leaves a backup for the next one.
  beforeAll(async () => {
    await cluster.create()
    await backUpCluster(cluster, { into })
  }, patience)
  afterAll(() => home[Symbol.dispose]())

  it.each(['at its end', 'as it removes', 'after that'])(
    '%s: what is left is whole, and the next one goes on',
    async (instant) => {
      const first = (await verifyBackups(into)).backups[0]!
      await using worker = new Worker('backup', cluster.dataDir, newest, { into, keep: 1 })
      while ((await worker.next())?.phase !== 'finishing') {
        // It goes on.
      }
      if (instant !== 'at its end') {
        await until('the first goes', () => !existsSync(first.path))
      }
      if (instant === 'after that') await worker.next()
      await worker.kill()
      const { backups, findings } = await verifyBackups(into)
      expect(findings).toEqual([])
      expect(backups.length).toBeGreaterThan(0)
      const { number } = await backUpCluster(cluster, { into, keep: 1 })
      expect(await verifyBackups(into)).toMatchObject({ backups: [{ number }], findings: [] })
      expect(readdirSync(into).filter((name) => /^(retired|making)/.test(name))).toEqual([])
    },
    patience,
  )
})
