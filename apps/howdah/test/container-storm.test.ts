import { chmodSync, existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  Container,
  type ContainerOptions,
  type ContainerResult,
  isOpenToOthers,
  type Random,
  seededRandom,
  temporaryDirectory,
  times,
  until,
} from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { postgresForContainers } from './postgres-for-containers.ts'
import { type Result, start } from './project.ts'

const rounds = times(5, 300)
const writer = fileURLToPath(new URL('storm-writer.mjs', import.meta.url))
const denied = whyNot()
if (denied !== null) console.log(`no storm of containers: ${denied}`)

test.skipIf(denied !== null)(
  'containers and their host that share a volume never run two servers, lose no row, and are told why they are refused',
  async () => {
    const seed = process.env['HOWDAH_TEST_SEED'] ?? 'the usual one'
    console.log(`a storm of ${rounds} rounds; HOWDAH_TEST_SEED: ${seed}`)
    const random = seededRandom(0x57_0a)
    using volume = temporaryDirectory({ prefix: 'howdah-storm-' })
    chmodSync(volume.path, 0o777)
    const storm = new Storm(volume.path, await postgresForContainers())
    expect(await storm.prepare()).toMatchObject({ status: 0 })
    using watch = new Watch(volume.file('data'))
    for (let round = 0; round < rounds; round++) {
      expect(await storm.round(round, random)).toEqual([])
      expect(round % 5 === 4 ? await storm.missing() : []).toEqual([])
    }
    expect(await storm.missing()).toEqual([])
    expect(watch.most).toBe(1)
    expect(watch.looks).toBeGreaterThan(rounds)
    await until('nothing runs there any more', () => watch.now() === 0, 20_000)
    const left = /^(postmaster\.pid|howdah\.run.*|howdah\.creating.*|\.s\.PGSQL.*)$/
    expect(readdirSync(volume.file('data')).filter((name) => left.test(name))).toEqual([])
  },
  rounds * 60_000,
)

/** One cluster on a volume, and its users. */
class Storm {
  readonly #volume: string
  readonly #postgres: string

  constructor(volume: string, postgres: string) {
    this.#volume = volume
    this.#postgres = postgres
  }

  async prepare(): Promise<ContainerResult> {
    const sql = 'CREATE TABLE storm (tag text, number int)'
    return await Container.run(`howdah -D data -c '${sql}'`, this.#options)
  }

  /** Some containers, and usually the host, at once; what has come of them that may not. */
  async round(round: number, random: Random): Promise<string[]> {
    const containers = Array.from({ length: 2 + random.below(3) }, async (_, index) => {
      const tag = `${round}-${index}`
      const rows = 1 + random.below(60)
      const [delay, life] = [random.below(800), 200 + random.below(4_000)]
      const isKilled = random.below(2) === 0
      await sleep(delay)
      const script = `howdah exec -D data -- node ${writer} /volume/committed ${tag} ${rows}`
      await using container = new Container(script, this.#options)
      if (isKilled) {
        await Promise.race([sleep(life), container.result])
        await container.kill()
      }
      const { status, stderr } = await container.result
      return isFair(status, stderr, isKilled) ? null : `container ${tag}: ${status} ${stderr}`
    })
    const host = random.below(4) > 0 ? this.#onHost(round, random.below(800)) : null
    const all = await Promise.all([...containers, host])
    return all.filter((one) => one !== null)
  }

  /** The committed rows that are not there. */
  async missing(): Promise<string[]> {
    const committed = existsSync(`${this.#volume}/committed`)
      ? readFileSync(`${this.#volume}/committed`, 'utf8').trim().split('\n')
      : []
    const sql = `SELECT tag || ' ' || number FROM storm`
    let found: Result | null = null
    await until(
      'the host may look',
      async () => {
        found = await this.#howdah(['-D', 'data', '-c', sql])
        return found.status !== 75
      },
      60_000,
    )
    const { status, stdout, stderr } = found ?? { status: null, stdout: '', stderr: '' }
    if (status !== 0) return [`status ${status}: ${stderr}`]
    const there = new Set(stdout.split('\n').map((line) => line.trim()))
    return committed.filter((row) => !there.has(row))
  }

  async #onHost(round: number, delay: number): Promise<string | null> {
    await sleep(delay)
    const command = [process.execPath, writer, `${this.#volume}/committed`, `${round}-host`, '20']
    const { status, stderr } = await this.#howdah(['exec', '-D', 'data', '--', ...command])
    return isFair(status, stderr, false) ? null : `host ${round}: ${status} ${stderr}`
  }

  async #howdah(args: readonly string[]): Promise<Result> {
    const path = [this.#postgres, process.env['PATH']].join(':')
    return await start(this.#volume, args, { env: { PATH: path } }).result
  }

  get #options(): ContainerOptions {
    return { volume: this.#volume, postgres: this.#postgres }
  }
}

/** Done, killed by us, or refused with the reason. */
function isFair(status: number | string | null, stderr: string, isKilled: boolean): boolean {
  if (status === 0 || (isKilled && status === 'SIGKILL')) return true
  return status === 75 && stderr.includes('is in use in another container')
}

/** Counts from outside, all the time, the postmasters that work in a directory. */
class Watch implements Disposable {
  /** The most that were ever seen at once. */
  most = 0
  looks = 0
  readonly #directory: string
  readonly #timer: NodeJS.Timeout

  constructor(directory: string) {
    this.#directory = directory
    this.#timer = setInterval(() => {
      this.most = Math.max(this.most, this.now())
      this.looks++
    }, 15)
  }

  /** Those whose parent is none of them. */
  now(): number {
    const { dev, ino } = statSync(this.#directory)
    const parents = new Map<number, number>()
    for (const pid of readdirSync('/proc').map(Number)) {
      if (!(pid > 0)) continue
      try {
        if (readFileSync(`/proc/${pid}/comm`, 'utf8') !== 'postgres\n') continue
        const cwd = statSync(`/proc/${pid}/cwd`)
        if (cwd.dev !== dev || cwd.ino !== ino) continue
        // Children that have not ended yet say so in their titles.
        if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('postgres: ')) continue
        const status = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ')
        if (status[0] !== 'Z') parents.set(pid, Number(status[1]))
      } catch {
        // It has ended.
      }
    }
    return [...parents.values()].filter((parent) => !parents.has(parent)).length
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

/** Containers in which servers of several users run, seen from outside, take root. */
function whyNot(): string | null {
  if (process.geteuid?.() !== 0) return 'only root sees the servers of all containers'
  if (!isOpenToOthers(import.meta.url)) return 'this checkout is closed to other users'
  return Container.whyNot()
}
