import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { Cluster, type Server } from '../../src/index.ts'
import { newest, somePostgres } from '@howdah/postgres-fixtures'

const names = ['fsync', 'full_page_writes', 'synchronous_commit']

async function switches(server: Server): Promise<string[]> {
  const client = await server.connect()
  const { rows } = await client.query<{ setting: string }>(
    'SELECT setting FROM pg_settings WHERE name = ANY ($1) ORDER BY name',
    [names],
  )
  await client.end()
  return rows.map(({ setting }) => setting)
}

describe.each(somePostgres)('the mode of a cluster on $name', ({ strategy }) => {
  it('is safe, fast until it is told otherwise, and safe again', async () => {
    using home = temporaryDirectory()
    const notices: string[] = []
    const onNotice = (notice: string) => notices.push(notice)
    const cluster = new Cluster(home.file('data'), { strategy, onNotice })
    const warned = () =>
      notices.filter((notice) => notice.startsWith('fast mode: fsync and')).length
    await expect(cluster.mode()).rejects.toMatchObject({ code: 'ERR_CLUSTER_MISSING' })
    await cluster.create()
    expect(await cluster.mode()).toBe('safe')

    {
      await using db = await cluster.run({ mode: 'safe' })
      expect(await switches(db)).toEqual(['on', 'on', 'on'])
      expect(await cluster.mode()).toBe('safe')
    }
    expect(warned()).toBe(0)
    {
      await using db = await cluster.run({ mode: 'fast' })
      expect(warned()).toBe(1)
      expect(await switches(db)).toEqual(['off', 'off', 'on'])
      expect(await cluster.mode()).toBe('fast')
      expect(await db.setMode('fast')).toBe('unmodified')
    }
    expect(await cluster.mode()).toBe('fast')
    {
      await using db = await cluster.run()
      expect(await switches(db)).toEqual(['off', 'off', 'on'])
      const client = await db.connect()
      await client.query('CREATE TABLE elephants AS SELECT generate_series(1, 1000) AS id')
      expect(await db.setMode('safe')).toBe('modified')
      expect(await switches(db)).toEqual(['on', 'on', 'on'])
      expect(await db.setMode('safe')).toBe('unmodified')
      expect(await cluster.mode()).toBe('safe')
      expect(existsSync(home.file('data', 'howdah.unsynced'))).toBe(false)
    }
    expect(readFileSync(home.file('data', 'postgresql.auto.conf'), 'utf8')).not.toMatch(/^[^#\n]/m)
    expect(await cluster.mode()).toBe('safe')
  })
})

it('takes synchronous_commit off back as well when it is to be safe', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  await using db = await cluster.run()
  await db.settings.set('synchronous_commit', 'off')
  expect(await db.mode()).toBe('fast')
  expect(await db.setMode('safe')).toBe('modified')
  expect(await switches(db)).toEqual(['on', 'on', 'on'])
})

it('changes what is kept, though a setting of this start hides it', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  {
    await using db = await cluster.run({ settings: { fsync: 'off', full_page_writes: 'off' } })
    expect([await db.mode(), await db.setMode('fast')]).toEqual(['fast', 'modified'])
    expect(await db.setMode('fast')).toBe('unmodified')
  }
  {
    await using db = await cluster.run({ settings: { fsync: 'on', full_page_writes: 'on' } })
    expect(await switches(db)).toEqual(['on', 'on', 'on'])
    expect(await db.setMode('safe')).toBe('modified')
    expect(await db.setMode('safe')).toBe('unmodified')
    const client = await db.connect()
    await client.query('ALTER SYSTEM SET fsync TO off')
    expect(await db.setMode('safe')).toBe('modified')
  }
  await using db = await cluster.run()
  expect(await switches(db)).toEqual(['on', 'on', 'on'])
})

describe('going back to safe', () => {
  it('waits for statements that began before, and is owed until it is done', async () => {
    using home = temporaryDirectory()
    const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
    await using db = await cluster.run({ mode: 'fast' })
    const busy = await db.connect()
    const { rows } = await busy.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const pid = rows[0]?.pid ?? 0
    const statement = busy.query('SELECT pg_sleep(600)').catch((error: unknown) => error)
    await expect(db.setMode('safe', { timeout: 200 })).rejects.toMatchObject({
      code: 'ERR_CLUSTER_NOT_SAFE',
      message: expect.stringContaining(`(pid ${pid})`),
    })
    expect(await switches(db)).toEqual(['on', 'on', 'on'])
    expect(await cluster.mode()).toBe('fast')

    const controller = new AbortController()
    const aborted = db.setMode('safe', { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')

    const waiting = db.setMode('safe')
    await (await db.connect()).query('SELECT pg_cancel_backend($1)', [pid])
    expect(await waiting).toBe('modified')
    expect(await statement).toMatchObject({ code: '57014' })
    expect(await cluster.mode()).toBe('safe')
  })

  it('is what turning fsync on again comes to, by whatever way', async () => {
    using home = temporaryDirectory()
    const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
    await using db = await cluster.run()
    const isOwed = () => existsSync(home.file('data', 'howdah.unsynced'))
    await db.settings.set('fsync', false)
    expect([isOwed(), await db.mode()]).toEqual([true, 'fast'])
    await db.settings.reset('fsync')
    expect([isOwed(), await db.mode()]).toEqual([false, 'safe'])
    // Without it, a crash of the machine may leave half a page.
    await db.settings.set('full_page_writes', false)
    expect([isOwed(), await db.mode()]).toEqual([true, 'fast'])
    await db.settings.reset('full_page_writes')
    expect([isOwed(), await db.mode()]).toEqual([false, 'safe'])
    await db.setMode('fast')
    await db.settings.resetAll()
    expect([isOwed(), await db.mode()]).toEqual([false, 'safe'])
    // Not by howdah: it is noticed all the same.
    await db.setMode('fast')
    const client = await db.connect()
    for (const name of names) await client.query(`ALTER SYSTEM RESET ${name}`)
    await client.query('SELECT pg_reload_conf()')
    await db.settings.reload()
    expect([isOwed(), await db.mode()]).toEqual([false, 'safe'])
  })

  it('is refused if something else keeps it from being safe', async () => {
    using home = temporaryDirectory()
    const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
    await cluster.create()
    appendFileSync(home.file('data', 'postgresql.conf'), '\nsynchronous_commit = off\n')
    expect(await cluster.mode()).toBe('fast')
    await using db = await cluster.run({ settings: { fsync: 'off' } })
    await expect(db.setMode('safe')).rejects.toMatchObject({
      code: 'ERR_CLUSTER_NOT_SAFE',
      message: expect.stringMatching(
        /fsync is turned off by the command line, synchronous_commit is turned off by \/.*\.conf:\d+; /,
      ),
    })
  })
})
