import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { linuxOnly, temporaryDirectory, type TemporaryDirectory, until } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Cluster, sweepTemporary } from '@howdah/cluster'
import { diagnose } from '@howdah/doctor'
import { identifyProcess } from '@howdah/lock'
import {
  isLeft,
  type SharedMemory,
  somePostgres,
  type Subject,
  Worker,
} from '@howdah/postgres-fixtures'
import { shippedPostgres } from './support/shipped-postgres.ts'

/** In ms: the first of them may have to copy a PostgreSQL. */
const patience = 60_000
vi.setConfig({ testTimeout: patience })

let home: TemporaryDirectory
const variables = ['HOWDAH_CACHE_DIR', 'HOWDAH_TEMPORARY_DIR']
const before = variables.map((name) => process.env[name])

beforeEach(() => {
  home = temporaryDirectory()
  for (const name of variables) {
    // Without a template, initdb runs.
    mkdirSync(home.file(name))
    process.env[name] = home.file(name)
  }
})

afterEach(() => {
  for (const [index, name] of variables.entries()) {
    const value = before[index]
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  home[Symbol.dispose]()
})

/** The last one does without initdb. */
const creators = [...somePostgres, ...shippedPostgres]

/** The server that an initdb runs, stopped while it has shared memory, so that whatever is killed leaves that. */
interface Bootstrap {
  readonly pid: number
  readonly memory: SharedMemory
}

async function stoppedBootstrap(): Promise<Bootstrap> {
  return await until(
    'initdb runs a server',
    () => {
      for (const file of pidFiles()) {
        const lines = readIfThere(file).split('\n')
        const pid = -Number(lines[0])
        const [key, id] = (lines[6] ?? '').trim().split(/\s+/).map(Number)
        if (!(pid > 0) || key === undefined || id === undefined) continue
        // First it tries which settings the machine bears, and takes a failure for an answer.
        if (/--check|-x0/.test(readIfThere(`/proc/${pid}/cmdline`))) continue
        const memory = { segment: [key, id] as const, files: [] }
        if (tell(pid, 'SIGSTOP') && readIfThere(file) !== '' && isLeft(memory)) {
          return { pid, memory }
        }
        tell(pid, 'SIGCONT')
      }
      return null
    },
    patience,
  )
}

function pidFiles(): string[] {
  return ['data', 'HOWDAH_TEMPORARY_DIR'].flatMap((place) => {
    if (!existsSync(home.file(place))) return []
    const names = readdirSync(home.file(place), { recursive: true, encoding: 'utf8' })
    const files = names.filter((name) => /initdb-[^/]*\/postmaster\.pid$/.test(name))
    return files.map((name) => home.file(place, name))
  })
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function tell(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** The processes from a worker down to one that it has started: initdb, a shell of it, and a server. */
function between(worker: number, pid: number): number[] {
  if (pid === worker || pid <= 1) return [pid]
  const parent = Number(/\) \S (\d+)/.exec(readIfThere(`/proc/${pid}/stat`))?.[1] ?? 0)
  return [...between(worker, parent), pid]
}

/** Kills a creator of a cluster with all that it has started, and returns what they have left. */
async function killedCreator(
  action: 'create' | 'temporary',
  postgres: Subject,
): Promise<SharedMemory> {
  await using worker = new Worker(action, home.file('data'), postgres)
  const { pid, memory } = await stoppedBootstrap()
  const [creator, ...others] = between(Number(worker.process.pid), pid)
  expect(creator).toBe(worker.process.pid)
  // From above: initdb would tidy up after its server.
  await worker.kill()
  for (const one of others) tell(one, 'SIGKILL')
  await until('they have ended', () =>
    // A process loses its memory first, and its locks a little later.
    others.every((one) => identifyProcess(one) === null),
  )
  expect(isLeft(memory)).toBe(true)
  return memory
}

describe(
  'the shared memory of an initdb that was killed',
  linuxOnly('/proc/sysvipc, which lists shared memory'),
  () => {
    it.each(creators)('is freed by the next creation ($name)', async (postgres) => {
      const memory = await killedCreator('create', postgres)
      const cluster = new Cluster(home.file('data'), { strategy: postgres.strategy })
      expect(await cluster.create()).toBe('modified')
      expect(isLeft(memory)).toBe(false)
    })

    it.each(creators)('is freed by doctor ($name)', async ({ strategy, ...postgres }) => {
      const memory = await killedCreator('create', { strategy, ...postgres })
      await diagnose({ dataDirs: [home.file('data')], scope: 'clusters', strategy, fix: true })
      expect(isLeft(memory)).toBe(false)
    })

    it.each(creators)('is freed by the next temporary cluster ($name)', async (postgres) => {
      const memory = await killedCreator('temporary', postgres)
      await sweepTemporary()
      expect(isLeft(memory)).toBe(false)
    })

    it.each(creators)(
      'is freed at once if its server alone was killed ($name)',
      async (postgres) => {
        await using worker = new Worker('create', home.file('data'), postgres)
        const { pid, memory } = await stoppedBootstrap()
        tell(pid, 'SIGKILL')
        expect(await worker.next()).toMatchObject({ error: { code: 'ERR_CLUSTER_CREATE_FAILED' } })
        expect(isLeft(memory)).toBe(false)
        expect(readdirSync(home.file('data'))).toEqual([])
      },
    )
  },
)

it('sweeps a temporary cluster whose creator was killed before it had published its marker', async () => {
  const place = home.file('HOWDAH_TEMPORARY_DIR', `howdah-clusters-${process.geteuid?.()}`)
  mkdirSync(place, { mode: 0o700 })
  for (const name of ['empty', 'marked', 'letter']) mkdirSync(`${place}/${name}`)
  chmodSync(place, 0o700)
  writeFileSync(`${place}/marked/howdah.creating.tmp`, '')
  writeFileSync(`${place}/letter/howdah.creating.tmp`, '')
  writeFileSync(`${place}/letter/letter.txt`, 'dear reader')
  // Others of this machine may be swept with them.
  expect(await sweepTemporary()).toBeGreaterThanOrEqual(2)
  expect(readdirSync(place)).toEqual(['letter'])
  expect(readdirSync(`${place}/letter`).toSorted()).toEqual(['howdah.creating.tmp', 'letter.txt'])
})
