import { backUpCluster, restoreCluster } from '../src/index.ts'
import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, readdirSync } from 'node:fs'
import { isOpenToOthers, temporaryDirectory, until } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { Cluster } from '@howdah/cluster'
import { type Progress, verifyBackups } from '../src/index.ts'
import { newest, processOf, readRows, Worker, Writer } from '@howdah/postgres-fixtures'

const { strategy } = newest
const isRoot = process.getuid?.() === 0
/** In ms: on a busy machine. */
const patience = 240_000

it.concurrent(
  'may be killed at any step: earlier backups are whole, and the next one works',
  async () => {
    using home = temporaryDirectory()
    const into = home.file('backups')
    const cluster = new Cluster(home.file('data'), { strategy })
    const reports = async (worker: Worker, phase: string, count: number) => {
      for (let seen = 0; seen < count;) {
        const message = await worker.next()
        if (message === null || message.outcome !== undefined) return
        if (message.phase === phase) seen += 1
      }
    }
    {
      await using session = await cluster.run()
      const writer = await Writer.on(session)
      await writer.write()
      await session.leave()
    }
    await backUpCluster(cluster, { into })
    let earlier = 1
    let written = 1
    for (const [phase, count] of [
      ['preparing', 1],
      ['copying', 1],
      ['copying', 3],
      ['archiving', 1],
      ['finishing', 1],
    ] as const) {
      // With others there, and without.
      const isShared = count > 1 || phase === 'archiving'
      await using session = isShared ? await cluster.run() : null
      const writer = session === null ? null : await Writer.on(session, written + 1)
      writer?.start()
      await using worker = new Worker('backup', cluster.dataDir, newest, { into })
      await reports(worker, phase, count)
      await worker.kill()
      await writer?.stop()
      written += writer?.rows.length ?? 0
      const { backups, findings } = await verifyBackups(into)
      expect({ phase, findings }).toEqual({ phase, findings: [] })
      expect(backups.length).toBeGreaterThanOrEqual(earlier)
      earlier = backups.length
    }
    const { number } = await backUpCluster(cluster, { into })
    expect(number).toBeGreaterThan(earlier)
    expect(readdirSync(into).filter((name) => name.startsWith('making'))).toEqual([])
    expect((await verifyBackups(into)).findings).toEqual([])
    const rows = Array.from({ length: written }, (_, at) => at + 1)
    for (const backup of [1, number]) {
      const restored = new Cluster(home.file('restored'), { strategy })
      await restoreCluster(restored, { from: into, backup })
      await using session = await restored.run({ atEnd: 'destroy' })
      expect(await readRows(session)).toEqual(rows)
    }
  },
  patience,
)

// The server itself looks for a dead archiver once a minute.
it.concurrent(
  'waits no minute for an archiver that has been killed',
  { timeout: 45_000 },
  async () => {
    using home = temporaryDirectory()
    const into = home.file('backups')
    const cluster = new Cluster(home.file('data'), { strategy })
    await cluster.create()
    await backUpCluster(cluster, { into })
    await using session = await cluster.run()
    const archiver = await processOf(session, 'archiver')
    process.kill(archiver, 'SIGKILL')
    await until('the server has started its processes again', async () => {
      try {
        await (await session.connect()).end()
        return true
      } catch {
        return false
      }
    })
    expect(await backUpCluster(cluster, { into })).toMatchObject({ number: 2 })
  },
)

it.each(['copying', 'archiving'] as const)(
  'fails if its server is killed while it is %s: earlier backups are whole, and the next one works',
  async (when) => {
    using home = temporaryDirectory()
    const into = home.file('backups')
    const cluster = new Cluster(home.file('data'), { strategy })
    await cluster.create()
    await backUpCluster(cluster, { into })
    await cluster.start()
    const { pid } = (await cluster.status()) as { pid: number }
    const archiver = await processOf(await cluster.server(), 'archiver')
    // A running archiver may have archived everything before the kill, or before it notices the kill.
    process.kill(archiver, 'SIGSTOP')
    let killed = false
    const onProgress = ({ phase }: Progress) => {
      if (phase !== when || killed) return
      killed = true
      process.kill(pid, 'SIGKILL')
      process.kill(archiver, 'SIGKILL')
    }
    await expect(backUpCluster(cluster, { into, onProgress })).rejects.toBeInstanceOf(Error)
    expect(killed).toBe(true)
    expect(await verifyBackups(into)).toMatchObject({ backups: [{ number: 1 }], findings: [] })
    await backUpCluster(cluster, { into })
    expect(await verifyBackups(into)).toMatchObject({
      backups: [{ number: 1 }, { number: 2 }],
      findings: [],
    })
    await cluster.stop({ force: true })
  },
  patience,
)

describe.runIf(isRoot && canMount())(
  'on a disk of its own (needs root, and mounting allowed)',
  () => {
    it(
      'says that the disk is full, leaves earlier backups whole, and works when there is room',
      async () => {
        using home = temporaryDirectory()
        const disk = home.file('disk')
        const into = home.file('disk', 'backups')
        mkdirSync(disk)
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=90m,mode=755', 'tmpfs', disk])
        try {
          const cluster = new Cluster(home.file('data'), { strategy })
          await cluster.create()
          await backUpCluster(cluster, { into })
          await expect(backUpCluster(cluster, { into })).rejects.toMatchObject({
            code: expect.stringMatching(/^ERR_CLUSTER_(DISK_FULL|ARCHIVE_FAILED)$/),
            message: expect.stringContaining('the disk is full'),
          })
          expect(readdirSync(into).filter((name) => name.startsWith('making'))).toEqual([])
          const before = await verifyBackups(into)
          expect(before.backups).toMatchObject([{ number: 1 }])
          // At most that there is no room, and never that a file is not whole.
          expect(
            before.findings.filter(({ path }) => path !== home.file('disk', 'backups', 'wal')),
          ).toEqual([])
          // What is left goes to WAL that is archived, until there is no room for more.
          {
            await using session = await cluster.run()
            for (const name of ['one', 'two', 'three', 'four'])
              await session.createRestorePoint(name)
          }
          expect((await verifyBackups(into)).findings).toEqual([
            expect.objectContaining({ what: expect.stringContaining('has no room') }),
          ])
          execFileSync('mount', ['-o', 'remount,size=500m', disk])
          expect(await backUpCluster(cluster, { into })).toMatchObject({ number: 2 })
          expect(await verifyBackups(into)).toMatchObject({
            backups: [{ number: 1 }, { number: 2 }],
            findings: [],
          })
        } finally {
          execFileSync('umount', [disk])
        }
      },
      patience,
    )
  },
)

describe.runIf(isRoot && isOpenToOthers(import.meta.url))(
  'as an ordinary user (needs root to become one, and a checkout that is open to others)',
  () => {
    it(
      'backs up, verifies and restores',
      async () => {
        using home = temporaryDirectory({ mode: 0o755 })
        const nobody = { uid: 65_534, gid: 65_534 }
        mkdirSync(home.file('mine'))
        chownSync(home.file('mine'), nobody.uid, nobody.gid)
        const into = home.file('mine', 'backups')
        const dataDir = home.file('mine', 'data')
        const does = async (
          action: 'create' | 'backup' | 'verify' | 'restore',
          options: object,
        ) => {
          const mine = home.file('mine')
          const env = { HOME: mine, HOWDAH_CACHE_DIR: mine, HOWDAH_STATE_DIR: mine }
          await using worker = new Worker(action, dataDir, newest, options, { ...nobody, env })
          for (;;) {
            const message = await worker.next()
            if (message?.phase === undefined) return message
          }
        }
        expect(await does('create', {})).toEqual({ outcome: 'modified' })
        expect(await does('backup', { into })).toMatchObject({ outcome: { number: 1 } })
        expect(await does('backup', { into, keep: 1 })).toMatchObject({
          outcome: { number: 2, expired: [1] },
        })
        expect(await does('verify', { from: into })).toMatchObject({ outcome: { findings: [] } })
        expect(await does('restore', { from: into, to: home.file('mine', 'other') })).toMatchObject(
          {
            outcome: { backup: { number: 2 }, superusers: ['nobody'] },
          },
        )
      },
      patience,
    )
  },
)

/** Whether a file system may be mounted here; containers often do not allow it. */
function canMount(): boolean {
  if (!isRoot) return false
  using home = temporaryDirectory()
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', home.path], { stdio: 'ignore' })
    execFileSync('umount', [home.path])
    return true
  } catch {
    return false
  }
}
