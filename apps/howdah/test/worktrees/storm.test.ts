import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Random, removeDirectory, times, until, whereIs } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { start } from '../project.ts'
import { hasGit, Repository } from './repository.ts'
import { serversBelow } from '@howdah/postgres-fixtures'

const createKept = 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n'
const countKept = 'SELECT count(*) FROM kept'

/** A program with a test that migrates the database and reads what is in it. */
const program = {
  'package.json': JSON.stringify({
    type: 'module',
    scripts: { pretest: 'node migrate.js', test: 'node test.js' },
  }),
  'migrate.js': `
    import pg from ${JSON.stringify(import.meta.resolve('pg'))}
    const client = new pg.Client(process.env.DATABASE_URL)
    await client.connect()
    await client.query('CREATE TABLE migrated (place text)')
    await client.query('ALTER TABLE kept ADD COLUMN place text')
    await client.end()
  `,
  'test.js': `
    import pg from ${JSON.stringify(import.meta.resolve('pg'))}
    const client = new pg.Client(process.env.DATABASE_URL)
    await client.connect()
    await client.query('INSERT INTO migrated VALUES ($1)', [process.cwd()])
    await client.query('INSERT INTO kept VALUES (0, $1)', [process.cwd()])
    const { rows } = await client.query(
      \`SELECT count(*) FILTER (WHERE kept.place IS NULL) AS main, count(kept.place) AS own,
              (SELECT string_agg(place, ' ') FROM migrated) AS places FROM kept\`,
    )
    console.log(\`\${rows[0].main} of main, \${rows[0].own} of \${rows[0].places}\`)
    await client.end()
  `,
} as const

describe.skipIf(!hasGit)('worktrees in numbers (with git on the machine)', () => {
  test.skipIf(whereIs('npm') === null)(
    'many at once run their tests, with migrations: each has the data of the main checkout, and none that of another (with npm here)',
    { timeout: 60_000 * times(2, 15) },
    async () => {
      await using repository = new Repository()
      for (const [name, text] of Object.entries(program)) {
        writeFileSync(repository.file(name), text)
      }
      repository.git('add', ...Object.keys(program))
      repository.git('commit', '--quiet', '--message=program')
      await repository.howdah(['shell', '-q', '-c', createKept])
      await repository.howdah(['start'])
      const worktrees = Array.from({ length: times(4, 50) }, (_, index) =>
        repository.worktree(`topic-${index}`),
      )
      const results = await Promise.all(
        worktrees.map((worktree) =>
          repository.in(worktree, 'exec', '--', 'npm', '--silent', 'test'),
        ),
      )
      expect(results.map(({ status, stdout }) => [status, stdout])).toEqual(
        worktrees.map((worktree) => [0, `1000 of main, 1 of ${worktree}\n`]),
      )
      for (const worktree of worktrees) {
        expect(await repository.ask(worktree, countKept)).toBe('1001')
        repository.git('worktree', 'remove', worktree)
      }
      expect(await repository.ask(repository.path, countKept)).toBe('1000')
      const migrated = "SELECT count(*) FROM pg_tables WHERE tablename = 'migrated'"
      expect(await repository.ask(repository.path, migrated)).toBe('0')
      await repository.howdah(['stop'])
    },
  )

  // HOWDAH_TEST_COUNT=15 and HOWDAH_TEST_SEED take a part of a long storm.
  const seed = Number(process.env['HOWDAH_TEST_SEED'] ?? 17)
  const patience = 60_000 * times(2, 100)
  test(
    `added, used, killed, moved, removed and pruned at random (seed ${seed}): nothing is left, nothing is lost`,
    { timeout: patience },
    async () => {
      await using repository = new Repository()
      await repository.howdah(['shell', '-q', '-c', createKept])
      await repository.howdah(['start'])
      const [main] = serversBelow(repository.path)
      const log = () => readFileSync(join(repository.dataDir, 'postmaster.log'), 'utf8')
      const { length: begin } = log()
      const storm = new Storm(repository, new Random(seed))
      const rounds = times(10, 1000)
      for (let round = 0; round < rounds; round += 1) {
        await storm.round(round).catch((error: unknown) => {
          throw new Error(`seed ${seed}, round ${round}: ${String(error)}`, { cause: error })
        })
      }
      await storm.end()
      // The main checkout has not noticed, but for connections of processes that were killed while they copied it.
      expect(await repository.ask(repository.path, countKept)).toBe('1000')
      expect(serversBelow(repository.path)).toEqual([main])
      const complaints = /.*(?:PANIC|FATAL|ERROR):(?! +connection to client lost$).*/gm
      expect(log().slice(begin).match(complaints) ?? []).toEqual([])
      const { stdout } = await repository.howdah(['ls', '--json'])
      const listed = (JSON.parse(stdout) as { dataDir: string }[]).map(({ dataDir }) => dataDir)
      expect(listed.filter((dataDir) => dataDir.startsWith(repository.path))).toEqual([
        repository.dataDir,
      ])
      const state = join(process.env['HOWDAH_STATE_DIR'] ?? '', 'clusters')
      const known = readdirSync(state).map((name) => readlinkSync(join(state, name)))
      expect(known.filter((path) => path.startsWith(repository.path))).toEqual([repository.dataDir])
      expect(repository.git('worktree', 'list').trim().split('\n')).toHaveLength(1)
      await repository.howdah(['stop'])
    },
  )
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
    const { exitCode, pid } = user.child
    if (exitCode !== null)
      throw new Error(`it ended by itself: ${JSON.stringify(await user.result)}`)
    process.kill(-pid!, 'SIGKILL')
    await user.result
  }

  async #move(worktree: string, round: number): Promise<void> {
    const to = this.#repository.file('moved', String(round))
    await this.#repository.in(worktree, this.#random.below(2) === 0 ? 'stop' : 'start')
    mkdirSync(this.#repository.file('moved'), { recursive: true })
    this.#repository.git('worktree', 'move', worktree, to)
    // A server that was started to stay has moved with it.
    await this.#repository.in(to, 'stop')
    await until('its server is gone', () => serversBelow(to).length === 0, 20_000)
    this.#rows.set(to, this.#rows.get(worktree) ?? 0)
    this.#rows.delete(worktree)
  }

  async #remove(worktree: string): Promise<void> {
    const user = start(worktree, ['exec', '--', 'sleep', '600'])
    await sleep(this.#random.below(1500))
    this.#removeWhile(worktree)
    await this.#isGone(worktree)
    try {
      process.kill(-user.child.pid!, 'SIGTERM')
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
      removeDirectory(worktree)
    }
  }

  async #removeAll(worktree: string): Promise<void> {
    // Its server may still write there.
    removeDirectory(worktree)
    this.#repository.git('worktree', 'prune')
    await this.#isGone(worktree)
  }

  async #isGone(worktree: string): Promise<void> {
    this.#rows.delete(worktree)
    await until('its server is gone', () => serversBelow(worktree).length === 0, 20_000)
  }
}
