import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { temporaryDirectory, times } from '@howdah/fixtures'
import { killedInTime, newest, Worker } from '@howdah/postgres-fixtures'
import { Cluster, readSystemIdentifier, type Session } from '@howdah/cluster'
import { describe, expect, it } from 'vitest'
import { Branches, cloneCluster, SavedClusters } from '../src/index.ts'

async function numbers(session: Session): Promise<unknown[]> {
  const client = await session.connect()
  return (await client.query<{ n: number }>('SELECT n FROM kept ORDER BY n')).rows.map(({ n }) => n)
}

async function write(session: Session, n: number): Promise<void> {
  const client = await session.connect()
  await client.query(`CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (${n})`)
}

const read = async (cluster: Cluster) => {
  await using session = await cluster.run({ ifExists: true })
  return await numbers(session)
}

describe.each(['.howdah/data', 'elsewhere'])('the branches of %s', (path) => {
  it('are copies, running or stopped, with an identity of their own, and branches of branches', async () => {
    using home = temporaryDirectory()
    const cluster = new Cluster(home.file(path), newest)
    const branches = new Branches(cluster)
    expect([branches.current, branches.list()]).toEqual(['main', []])
    {
      await using session = await cluster.run()
      await write(session, 1)
      const first = await branches.create('feature/one')
      expect(first).toMatchObject({ name: 'feature/one', parent: 'main' })
      await write(session, 2)
      await using its = await branches.cluster('feature/one').run({ ifExists: true })
      await write(its, 10)
      expect([await numbers(session), await numbers(its)]).toEqual([
        [1, 2],
        [1, 10],
      ])
    }
    const ofBranch = new Branches(branches.cluster('feature/one'))
    expect(ofBranch.current).toBe('feature/one')
    await ofBranch.create('two')
    expect(await read(branches.cluster('two'))).toEqual([1, 10])
    const list = branches.list()
    expect(list.map(({ name, parent }) => [name, parent])).toEqual([
      ['main', null],
      ['feature/one', 'main'],
      ['two', 'feature/one'],
    ])
    expect(ofBranch.list()).toEqual(list)
    const identifiers = list.map(({ dataDir }) => readSystemIdentifier(dataDir))
    expect(new Set(await Promise.all(identifiers)).size).toBe(3)
    // A clone of a branch is no branch.
    const clone = await cloneCluster(branches.cluster('two'), { to: home.file('clone') })
    expect(existsSync(`${clone.dataDir}/howdah.branch`)).toBe(false)
  })

  it('are dropped and kept, brought back, and made anew from their parents', async () => {
    using home = temporaryDirectory()
    const cluster = new Cluster(home.file(path), newest)
    {
      await using session = await cluster.run()
      await write(session, 1)
    }
    const branches = new Branches(cluster)
    const made = await branches.create('x')
    {
      await using session = await branches.cluster('x').run({ ifExists: true })
      await write(session, 2)
      const refused = branches.drop('x', { waitTimeout: 0 })
      await expect(refused).rejects.toMatchObject({ code: 'ERR_CLUSTER_IN_USE' })
    }
    await branches.drop('x')
    expect(branches.list().map(({ name }) => name)).toEqual(['main'])
    const saved = new SavedClusters(made.dataDir)
    const [kept] = saved.list()
    if (kept === undefined) throw new Error('nothing was saved')
    expect(kept.by).toBe('branch drop')
    await saved.bringBack(branches.cluster('x'), kept)
    expect(branches.list()).toContainEqual(made)
    expect(await read(branches.cluster('x'))).toEqual([1, 2])
    {
      await using session = await cluster.run()
      await write(session, 3)
    }
    await branches.reset('x')
    expect(await read(branches.cluster('x'))).toEqual([1, 3])
    expect(branches.list().map(({ name, parent }) => [name, parent])).toEqual([
      ['main', null],
      ['x', 'main'],
    ])
    await branches.drop('x', { save: false })
    await branches.create('x')
  })
})

it('a branch has any name but those that mean something else', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('.howdah/data'), newest)
  await cluster.create()
  const branches = new Branches(cluster)
  const names = [
    '.',
    '..',
    'a b',
    'it\'s "quoted"',
    '日本語',
    '100%',
    'a=b',
    'Ä'.repeat(20),
    'data',
    '-x',
  ]
  for (const name of names) await branches.create(name)
  expect(branches.list().map(({ name }) => name)).toEqual(['main', ...names.toSorted()])
  for (const name of names) expect(await branches.cluster(name).exists()).toBe(true)
  for (const [name, code] of [
    ['', 'ERR_CLUSTER_INVALID_BRANCH'],
    ['main', 'ERR_CLUSTER_INVALID_BRANCH'],
    ['x'.repeat(201), 'ERR_CLUSTER_INVALID_BRANCH'],
    ['a b', 'ERR_CLUSTER_BRANCH_EXISTS'],
  ] as const)
    await expect(branches.create(name)).rejects.toMatchObject({ code })
  const missing = branches.drop('nobody')
  await expect(missing).rejects.toMatchObject({
    code: 'ERR_CLUSTER_BRANCH_MISSING',
    message: expect.stringContaining('there are main, -x, .'),
  })
  // The branch whose name is a path lies where the others lie.
  expect(readdirSync(home.file('.howdah')).toSorted()).toEqual(['branches', 'data'])
})

it('branches of a cluster outside of a .howdah are kept out of git, and apart from those of its neighbour', async () => {
  using home = temporaryDirectory()
  for (const name of ['one', 'two']) {
    const cluster = new Cluster(home.file(name), newest)
    await cluster.create()
    await new Branches(cluster).create('x')
    expect(new Branches(cluster).list().map((one) => one.name)).toEqual(['main', 'x'])
  }
  expect(readFileSync(home.file('.howdah-branches/.gitignore'), 'utf8')).toBe('*\n')
})

it('a branch of nothing is not made', async () => {
  using home = temporaryDirectory()
  const making = new Branches(new Cluster(home.file('.howdah/data'), newest)).create('x')
  await expect(making).rejects.toMatchObject({ code: 'ERR_CLUSTER_MISSING' })
  expect(readdirSync(home.path)).toEqual([])
})

it(
  'a process that is killed while it makes or drops a branch leaves all of it or nothing',
  { timeout: 120_000 },
  async () => {
    using home = temporaryDirectory()
    const cluster = new Cluster(home.file('.howdah/data'), newest)
    await using session = await cluster.run({ mode: 'fast' })
    await write(session, 1)
    const branches = new Branches(cluster)
    const isThere = () => branches.list().some(({ name }) => name === 'x')
    await killedInTime(
      times(3, 6),
      () => new Worker('branch', cluster.dataDir, newest, { name: 'x' }, { tells: true }),
      async () => {
        const found = isThere() ? await read(branches.cluster('x')) : [1]
        expect(found).toEqual([1])
        if (isThere()) await branches.drop('x', { save: false })
        await branches.create('other')
        expect(readdirSync(home.file('.howdah/branches'))).toEqual(['other'])
        await branches.drop('other', { save: false })
      },
    )
    await branches.create('x')
    const place = branches.cluster('x').dataDir
    await killedInTime(
      times(3, 6),
      () => new Worker('dropBranch', cluster.dataDir, newest, { name: 'x' }, { tells: true }),
      async () => {
        const saved = new SavedClusters(place)
        const [kept] = saved.list()
        if (!isThere() && kept !== undefined) await saved.bringBack(branches.cluster('x'), kept)
        expect(await read(branches.cluster('x'))).toEqual([1])
      },
    )
  },
)
