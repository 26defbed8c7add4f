import { execFileSync } from 'node:child_process'
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  statSync,
} from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isOpenToOthers, temporaryDirectory, until } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { Cluster, run } from '../../src/index.ts'
import { newest, somePostgres, Worker } from '@howdah/postgres-fixtures'

const { strategy } = newest
const isRoot = process.getuid?.() === 0

const stranger = { uid: 65534, gid: 65534 }
const checkoutIsOpen = isOpenToOthers(import.meta.url)

describe.runIf(isRoot)('as root (needs root)', () => {
  it('runs the server as the owner of the data directory, else as a user who is no root', async () => {
    using home = temporaryDirectory()
    mkdirSync(home.file('owned'))
    chownSync(home.file('owned'), stranger.uid, stranger.gid)
    await using owned = await run(home.file('owned'), { strategy, throwAway: true })
    await using fresh = await run(home.file('fresh'), { strategy, throwAway: true })
    expect(statSync(`${owned.dataDir}/postmaster.pid`).uid).toBe(stranger.uid)
    expect(statSync(`${fresh.dataDir}/postmaster.pid`).uid).not.toBe(0)
  })

  it('runs it as the user that was asked for, and refuses root and strangers', async () => {
    using home = temporaryDirectory()
    const asUser = (runAs: string) => new Cluster(home.file(runAs), { strategy, runAs })
    await using session = await asUser('nobody').run({ throwAway: true })
    expect(statSync(`${session.dataDir}/postmaster.pid`).uid).toBe(stranger.uid)
    for (const name of ['root', 'no-such-user']) {
      await expect(asUser(name).run()).rejects.toMatchObject({ code: 'ERR_CLUSTER_SERVER_USER' })
    }
  })

  it('refuses a cluster that belongs to another user than its server’s, with a cure that works', async () => {
    using home = temporaryDirectory()
    const original = new Cluster(home.file('data'), { strategy })
    await original.create()
    // Root's copies are root's, unless it asks for more.
    execFileSync('cp', ['-r', original.dataDir, home.file('copy')])
    const copy = new Cluster(home.file('copy'), { strategy })
    const refusal = (cause: RegExp) => ({
      code: 'ERR_CLUSTER_PERMISSION',
      message: expect.stringMatching(cause),
    })
    const ofRoot = refusal(/belongs to root.* chown -R \d+:\d+ /)
    await expect(copy.run()).rejects.toMatchObject(ofRoot)
    await expect(copy.start()).rejects.toMatchObject(ofRoot)
    await expect(copy.superusers()).rejects.toMatchObject(ofRoot)
    await expect(copy.mode()).rejects.toMatchObject(ofRoot)
    const message = await copy.run().then(
      () => '',
      (reason: Error) => reason.message,
    )
    execFileSync('sh', ['-c', /chown.*/.exec(message)?.[0] ?? 'false'])
    {
      await using session = await copy.run()
      expect(await session.superusers()).toEqual(['root'])
    }
    chownSync(home.file('copy'), 12_345, 12_345)
    await expect(
      new Cluster(copy.dataDir, { strategy, runAs: 'nobody' }).run(),
    ).rejects.toMatchObject(refusal(/belongs to uid 12345.* nobody.* name no other user/))
    execFileSync('chown', ['-R', '0:0', home.file('copy')])
    expect(await copy.destroy()).toBe('modified')
  })

  it.each(somePostgres)(
    'runs $name in a directory that the server’s user could not enter by itself',
    async (postgres) => {
      using home = temporaryDirectory({ mode: 0o700 })
      const cluster = new Cluster(home.file('data'), { strategy: postgres.strategy })
      {
        await using session = await cluster.run({ database: 'app', throwAway: true })
        const client = await session.connect()
        expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
        // A backend, too, finds its files there.
        await client.query('CREATE TABLE t AS SELECT generate_series(1, 1000)')
        await client.query('CHECKPOINT')
        expect(await session.superusers()).toEqual(['root'])
        expect(await cluster.status()).toMatchObject({ state: 'running', ours: true })
        expect(await session.leave()).toBe('destroyed')
      }
      // Killed, it is cleared away by a watchdog that gets there, too.
      await using user = new Worker('use', cluster.dataDir, postgres, { throwAway: true })
      expect(await user.next()).toMatchObject({ joined: 'modified' })
      await user.kill()
      await until('it is removed', () => !existsSync(cluster.dataDir))
    },
  )
})

describe.runIf(isRoot && checkoutIsOpen)(
  'as an ordinary user (needs root, and an open checkout)',
  () => {
    const asStranger = (home: { file(...names: string[]): string }) => {
      const cache = home.file('cache')
      mkdirSync(cache, { recursive: true })
      chownSync(cache, stranger.uid, stranger.gid)
      return { ...stranger, env: { HOWDAH_CACHE_DIR: cache, HOME: cache } }
    }

    it('runs the server as the same user', async () => {
      using home = temporaryDirectory()
      chownSync(home.path, stranger.uid, stranger.gid)
      await using user = new Worker('use', home.file('data'), newest, {}, asStranger(home))
      expect(await user.next()).toMatchObject({ joined: 'modified' })
      expect(statSync(home.file('data', 'postmaster.pid')).uid).toBe(stranger.uid)
      // Root joins the very same server.
      await using session = await run(home.file('data'), { strategy })
      expect(session.started).toBe('unmodified')
      await session.leave()
      expect(await user.leave()).toMatchObject({ outcome: 'stopped' })
    })

    it.each([
      ['a place where nothing may be made', 0o755, 'data', 'in a place that is yours'],
      ['a place that may not be entered', 0o700, 'data', 'may not look into'],
      ["somebody else's empty directory", 0o777, '.', 'belongs to another user'],
    ])('says what to do about %s', async (_, mode, name, remedy) => {
      using home = temporaryDirectory()
      const spawning = asStranger(home)
      mkdirSync(home.file('place'))
      chmodSync(home.file('place'), mode)
      await using user = new Worker('create', home.file('place', name), newest, {}, spawning)
      expect(await user.next()).toMatchObject({
        error: {
          code: 'ERR_CLUSTER_PERMISSION',
          message: expect.stringContaining(remedy),
        },
      })
    })

    it.each(['stop', 'destroy', 'backup'] as const)(
      'cannot %s what another user has opened to everybody, and is told why',
      async (action) => {
        using home = temporaryDirectory()
        const cluster = new Cluster(home.file('data'), { strategy, runAs: 'daemon' })
        await cluster.start()
        execFileSync('chmod', ['-R', 'a+rwX', cluster.dataDir])
        const options = { into: home.file('cache', 'backups') }
        await using user = new Worker(action, cluster.dataDir, newest, options, asStranger(home))
        let said = await user.next()
        while (said !== null && 'phase' in said) said = await user.next()
        expect(said).toMatchObject({
          error: {
            code: 'ERR_CLUSTER_PERMISSION',
            message: expect.stringContaining('run as that user'),
          },
        })
        await cluster.destroy({ force: true })
      },
    )

    it('does not take a cluster that may not be read for a missing or a stopped one', async () => {
      using home = temporaryDirectory()
      await new Cluster(home.file('data'), { strategy }).create()
      for (const action of ['status', 'use', 'start'] as const) {
        await using user = new Worker(action, home.file('data'), newest, {}, asStranger(home))
        expect(await user.next()).toMatchObject({
          error: {
            code: 'ERR_CLUSTER_PERMISSION',
            message: expect.stringContaining('run as its owner'),
          },
        })
      }
    })
  },
)

it('is root, or at least may read its own code', () => {
  expect(() => accessSync(fileURLToPath(import.meta.url), constants.R_OK)).not.toThrow()
})
