import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Random, times, until } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { start } from '../project.ts'
import { hasGit, Repository } from './repository.ts'
import { serversOf } from './servers-of.ts'

const createKept = 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n'
const countKept = 'SELECT count(*) FROM kept'

describe.skipIf(!hasGit)('worktrees in numbers (with git on the machine)', () => {
  test('many at once: each has the data of the main checkout, and none that of another', async () => {
    await using repository = new Repository()
    await repository.howdah(['shell', '-q', '-c', createKept])
    await repository.howdah(['start'])
    const worktrees = Array.from({ length: times(4, 50) }, (_, index) =>
      repository.worktree(`topic-${index}`),
    )
    const migration = (index: number) =>
      `INSERT INTO kept SELECT -${index} FROM generate_series(1, ${index});
       CREATE TABLE migrated (n int); ${countKept}`
    const results = await Promise.all(
      worktrees.map((worktree, index) =>
        repository.in(worktree, 'shell', '-q', '-c', migration(index)),
      ),
    )
    expect(results.map(({ status }) => status)).toEqual(worktrees.map(() => 0))
    for (const [index, worktree] of worktrees.entries()) {
      expect(await repository.ask(worktree, countKept)).toBe(String(1000 + index))
      repository.git('worktree', 'remove', worktree)
    }
    expect(await repository.ask(repository.path, countKept)).toBe('1000')
    await repository.howdah(['stop'])
  })

  test('added, used, killed, moved, removed and pruned at random: nothing is left, nothing is lost', async () => {
    await using repository = new Repository()
    await repository.howdah(['shell', '-q', '-c', createKept])
    await repository.howdah(['start'])
    const random = new Random(Number(process.env['HOWDAH_TEST_SEED'] ?? 17))
    const storm = new Storm(repository, random)
    const rounds = times(10, 1000)
    for (let round = 0; round < rounds; round += 1) await storm.round(round)
    await storm.end()
    expect(await repository.ask(repository.path, countKept)).toBe('1000')
    const { stdout } = await repository.howdah(['ls', '--json'])
    const listed = (JSON.parse(stdout) as { dataDir: string }[]).map(({ dataDir }) => dataDir)
    expect(listed.filter((dataDir) => dataDir.startsWith(repository.path))).toEqual([
      repository.dataDir,
    ])
    await repository.howdah(['stop'])
  })
})

/** Worktrees that come and go, and what is known of their data. */
class Storm {
  readonly #repository: Repository
  readonly #random: Random
  /** How many rows each of them must have, by its path. */
  readonly #rows = new Map<string, number>()

  constructor(repository: Repository, random: Random) {
    this.#repository = repository
    this.#random = random
  }

  async round(round: number): Promise<void> {
    const worktrees = [...this.#rows.keys()]
    if (worktrees.length === 0 || (worktrees.length < 5 && this.#random.below(3) === 0)) {
      this.#rows.set(this.#repository.worktree(`storm-${round}`), 1000)
      return
    }
    const worktree = this.#random.pick(worktrees)
    const actions = [
      async () => await this.#use(worktree),
      async () => await this.#kill(worktree),
      async () => await this.#move(worktree, round),
      async () => await this.#remove(worktree),
      async () => await this.#removeAll(worktree),
      async () => void (await this.#repository.in(worktree, 'start')),
      async () => void this.#repository.git('worktree', 'prune'),
    ]
    await this.#random.pick(actions)()
  }

  /** Uses each that is left, and removes it. */
  async end(): Promise<void> {
    for (const worktree of this.#rows.keys()) {
      await this.#use(worktree)
      await this.#remove(worktree)
    }
  }

  async #use(worktree: string): Promise<void> {
    const rows = (this.#rows.get(worktree) ?? 0) + 1
    await this.#repository.in(worktree, 'shell', '-q', '-c', 'INSERT INTO kept VALUES (0)')
    const found = await this.#repository.ask(worktree, countKept)
    if (found !== String(rows)) throw new Error(`${worktree} has ${found} rows, not ${rows}`)
    this.#rows.set(worktree, rows)
  }

  /** At any instant, also while it forks. */
  async #kill(worktree: string): Promise<void> {
    const user = start(worktree, ['exec', '--', 'sleep', '600'])
    await sleep(this.#random.below(1500))
    process.kill(-(user.child.pid ?? 0), 'SIGKILL')
    await user.result
  }

  async #move(worktree: string, round: number): Promise<void> {
    const to = this.#repository.file('moved', String(round))
    await this.#repository.in(worktree, 'stop', '--force')
    mkdirSync(this.#repository.file('moved'), { recursive: true })
    this.#repository.git('worktree', 'move', worktree, to)
    this.#rows.set(to, this.#rows.get(worktree) ?? 0)
    this.#rows.delete(worktree)
  }

  async #remove(worktree: string): Promise<void> {
    const user = start(worktree, ['exec', '--', 'sleep', '600'])
    await sleep(this.#random.below(1500))
    this.#removeWhile(worktree)
    await this.#isGone(worktree)
    try {
      process.kill(-(user.child.pid ?? 0), 'SIGTERM')
    } catch {
      // It has failed, because its files were removed while it made them.
    }
    await user.result
    if (existsSync(worktree)) throw new Error(`${worktree} was made again`)
  }

  /** While the first use is still copying, git may find that a directory is not empty, and leaves it. */
  #removeWhile(worktree: string): void {
    try {
      this.#repository.git('worktree', 'remove', '--force', worktree)
    } catch (error) {
      if (!String(error).includes('Directory not empty')) throw error
      rmSync(worktree, { recursive: true, force: true, maxRetries: 100, retryDelay: 50 })
    }
  }

  async #removeAll(worktree: string): Promise<void> {
    rmSync(worktree, { recursive: true, force: true })
    this.#repository.git('worktree', 'prune')
    await this.#isGone(worktree)
  }

  async #isGone(worktree: string): Promise<void> {
    this.#rows.delete(worktree)
    await until('its server is gone', () => serversOf(worktree).length === 0, 20_000)
  }
}
