import { mkdirSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { temporaryDirectory, type TemporaryDirectory, until } from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cluster, type Session } from '../src/index.ts'
import { kindsOfCopy, type KindOfCopy } from './support/kinds-of-copy.ts'
import { newest } from './support/postgres.ts'
import { processesBelow } from './support/postmasters.ts'

/** How the original is found when it is copied. */
type State = 'runs' | 'is stopped' | 'was killed'
const states: readonly State[] = ['runs', 'is stopped', 'was killed']

/** All of them take minutes; each kind in one state, and while the original runs, does for every day. */
const all = process.env['HOWDAH_TEST_LONG'] === '1'
const cases = kindsOfCopy.flatMap((kind, index) =>
  states
    .filter((_, number) => all || number === index % states.length)
    .map((state) => ({ ...kind, kind, state })),
)

let home: TemporaryDirectory
beforeAll(() => {
  home = temporaryDirectory()
})
afterAll(() => home[Symbol.dispose]())

for (const kind of kindsOfCopy) {
  if (kind.whyNot) console.log(`${kind.name} is not tried: ${kind.whyNot}`)
}

describe.each(cases)('$name, while the original $state', ({ kind, state }) => {
  it.skipIf(kind.whyNot)(laws[kind.is], async () => {
    const project = home.file(`${kindsOfCopy.indexOf(kind)}-${state.replaceAll(' ', '-')}`)
    const [from, to] = [`${project}/one/data`, `${project}/other/data`]
    for (const path of [`${project}/one`, `${project}/other`]) mkdirSync(path, { recursive: true })
    const original = clusterAt(from)
    await kind.prepare?.(from)
    const user = await original.run()
    await insert(user, 1)
    const before = await pidOf(original)
    const session = state === 'runs' ? user : null
    if (state === 'is stopped') expect(await user.leave()).toBe('stopped')
    if (state === 'was killed') {
      process.kill(before, 'SIGKILL')
      await until('nothing of it is left', async () => !(await original.running()))
      await user.leave()
    }
    try {
      await kind.make(from, to)
      await check[kind.is]({ original, copy: clusterAt(to), session, before })
      await session?.leave()
      await until('no server is left', () => processesBelow(project).length === 0, 20_000)
    } finally {
      await session?.leave()
      unmount(project)
    }
  })
})

const laws: Record<KindOfCopy['is'], string> = {
  'its own': 'it is a cluster of its own, and the original never notices',
  'the same': 'it is the same cluster: the same server, and the same rows',
  refused: 'no server is started on files that are those of the original',
}

interface Copied {
  readonly original: Cluster
  readonly copy: Cluster
  /** Of the original while it runs. */
  readonly session: Session | null
  readonly before: number
}

const check: Record<KindOfCopy['is'], (copied: Copied) => Promise<void>> = {
  async 'its own'({ original, copy, session, before }) {
    expect(await copy.status()).toMatchObject({ state: 'stopped' })
    expect(await copy.stop({ force: true })).toBe('unmodified')
    {
      await using own = await copy.run()
      expect(own.started).toBe('modified')
      await insert(own, 2)
      expect(await pidOf(copy)).not.toBe(before)
    }
    // Once more, now that the copy has a record and a pid file of its own.
    await using both = await copy.run()
    await using other = session === null ? await original.run() : null
    expect(await rows(other ?? session)).toEqual([1])
    expect(await rows(both)).toContain(2)
    if (session !== null) expect(await pidOf(original)).toBe(before)
  },
  async 'the same'({ copy, session, before }) {
    await using own = await copy.run()
    expect(own.started).toBe(session === null ? 'modified' : 'unmodified')
    if (session !== null) expect(await pidOf(copy)).toBe(before)
    await insert(own, 2)
    expect(await rows(own)).toEqual([1, 2])
  },
  async refused({ original, copy, session, before }) {
    await expect(copy.run()).rejects.toMatchObject({
      code: 'ERR_CLUSTER_PERMISSION',
      message: expect.stringContaining('hard links'),
    })
    if (session === null) return
    expect(await rows(session)).toEqual([1])
    expect(await pidOf(original)).toBe(before)
  },
}

function clusterAt(path: string): Cluster {
  return new Cluster(path, { strategy: newest.strategy })
}

async function pidOf(cluster: Cluster): Promise<number> {
  const status = await cluster.status()
  if (status.state !== 'running') throw new Error(`it is ${status.state}`)
  return status.pid
}

async function insert(session: Session, row: number): Promise<void> {
  const client = await session.connect()
  await client.query('CREATE TABLE IF NOT EXISTS t (i int)')
  await client.query('INSERT INTO t VALUES ($1)', [row])
  await client.end()
}

async function rows(session: Session | null): Promise<number[]> {
  const client = await session?.connect()
  const result = await client?.query<{ i: number }>('SELECT i FROM t ORDER BY i')
  await client?.end()
  return result?.rows.map(({ i }) => i) ?? []
}

function unmount(project: string): void {
  if (process.geteuid?.() !== 0) return
  for (const path of [`${project}/other/data`, `${project}/other`]) {
    try {
      execFileSync('umount', [path], { stdio: 'ignore' })
    } catch {
      // It is no mount.
    }
  }
}
