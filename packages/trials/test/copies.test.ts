import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { linuxOnly, temporaryDirectory, type TemporaryDirectory, until } from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cluster, type Session } from '@howdah/cluster'
import { kindsOfCopy, type KindOfCopy } from './support/kinds-of-copy.ts'
import { newest, processesBelow } from '@howdah/postgres-fixtures'

/** How the original is found when it is copied. */
type State = 'runs' | 'is stopped' | 'was killed'
const states: readonly State[] = ['runs', 'is stopped', 'was killed']

/** All of them take minutes. So each kind is tried in one state, in another one for the next seed; each state has a third. */
const all = process.env['HOWDAH_TEST_LONG'] === '1'
const seed = Number(process.env['HOWDAH_TEST_SEED'] ?? Math.floor(Math.random() * states.length))
if (!all) console.log(`each kind of copy in one of three states; HOWDAH_TEST_SEED=${seed}`)
const cases = kindsOfCopy.flatMap((kind, index) =>
  states
    .filter((_, number) => all || number === (index + seed) % states.length)
    .map((state): [string, State, KindOfCopy] => [kind.name, state, kind]),
)

let home: TemporaryDirectory
beforeAll(() => {
  home = temporaryDirectory()
})
afterAll(() => home[Symbol.dispose]())

for (const kind of kindsOfCopy) {
  if (kind.whyNot) console.log(`${kind.name} is not tried: ${kind.whyNot}`)
}

const gnu = linuxOnly("GNU's cp and chown, and a file system in memory")

describe(
  'a copy is a cluster of its own, its original never notices, and what is not a copy is the same cluster',
  gnu,
  () => {
    it.each(cases)('%s, while the original %s', async (_, state, kind) => {
      if (kind.whyNot) return
      const project = home.file(`${kindsOfCopy.indexOf(kind)}-${states.indexOf(state)}`)
      const [from, to] = [`${project}/one/data`, `${project}/other/data`]
      for (const path of [`${project}/one`, `${project}/other`])
        mkdirSync(path, { recursive: true })
      const original = clusterAt(from)
      await kind.prepare?.(from)
      const user = await original.run()
      await insert(user, 1)
      const before = await pidOf(original)
      const session = state === 'runs' ? user : null
      if (state === 'was killed') process.kill(before, 'SIGKILL')
      if (session === null) await user.leave()
      try {
        await kind.make(from, to)
        const outcome = await observe[kind.is]({ original, copy: clusterAt(to), session, before })
        expect(outcome).toEqual(expected[kind.is])
        await session?.leave()
        await until('no server is left', () => processesBelow(project).length === 0, 20_000)
      } finally {
        await session?.leave()
        unmount(project)
      }
    })
  },
)

interface Copied {
  readonly original: Cluster
  readonly copy: Cluster
  /** Of the original while it runs. */
  readonly session: Session | null
  readonly before: number
}

type Observed = Readonly<Record<string, unknown>>

/** What is tried with each, and what comes of it. */
const observe: Record<KindOfCopy['is'], (copied: Copied) => Promise<Observed>> = {
  async 'its own'({ original, copy, session, before }) {
    const { state } = await copy.status()
    const stopped = await copy.stop({ force: true })
    const first = await copy.run()
    const { started } = first
    await insert(first, 2)
    const hasAnother = (await pidOf(copy)) !== before
    await first.leave()
    // Once more, now that the copy has a record and a pid file of its own.
    await using both = await copy.run()
    await using other = session === null ? await original.run() : null
    return {
      state,
      stopped,
      started,
      hasAnother,
      original: await rows(other ?? session),
      hasItsRows: (await rows(both)).includes(2),
      keptItsServer: session === null || (await pidOf(original)) === before,
    }
  },
  async 'the same'({ copy, session, before }) {
    await using own = await copy.run()
    await insert(own, 2)
    return {
      rows: await rows(own),
      startedOnlyIfNoneRan: own.started === (session === null ? 'modified' : 'unmodified'),
      keptItsServer: session === null || (await pidOf(copy)) === before,
    }
  },
  async refused({ original, copy, session, before }) {
    const error: unknown = await copy.run().catch((reason: unknown) => reason)
    return {
      error,
      original: session === null ? [1] : await rows(session),
      keptItsServer: session === null || (await pidOf(original)) === before,
    }
  },
}

const expected: Record<KindOfCopy['is'], Observed> = {
  'its own': {
    state: 'stopped',
    stopped: 'unmodified',
    started: 'modified',
    hasAnother: true,
    original: [1],
    hasItsRows: true,
    keptItsServer: true,
  },
  'the same': { rows: [1, 2], startedOnlyIfNoneRan: true, keptItsServer: true },
  refused: {
    error: expect.objectContaining({
      code: 'ERR_CLUSTER_PERMISSION',
      message: expect.stringContaining('hard links'),
    }),
    original: [1],
    keptItsServer: true,
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
