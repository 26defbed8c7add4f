import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Random, times } from '@howdah/fixtures'
import { readSystemIdentifier } from '@howdah/cluster'
import { describe, expect, test } from 'vitest'
import { answer, start } from '../project.ts'
import { hasGit, Repository } from './repository.ts'

/** With something in it that a fork is known by. */
async function withData(): Promise<Repository> {
  const repository = new Repository()
  const { status, stderr } = await repository.answer(['shell', '-c', createKept])
  if (status !== 0) throw new Error(stderr)
  return repository
}

const createKept = 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n'
const countKept = 'SELECT count(*) FROM kept'
const dataDirOf = (worktree: string) => join(worktree, '.howdah/data')

describe.skipIf(!hasGit)('the first use in a linked worktree (with git on the machine)', () => {
  test("forks the main checkout's cluster, says so in one line, and is a cluster of its own", async () => {
    await using repository = await withData()
    const worktree = repository.worktree('topic')
    const first = await repository.in(worktree, 'shell', '-c', countKept)
    expect(first.stdout).toContain('1000')
    expect(first.stderr).toMatch(
      /^howdah: forked .*\/\.howdah\/data for the worktree of topic in \d+\.\d s: .*\/topic\/\.howdah\/data\n$/,
    )
    await repository.in(worktree, 'shell', '-c', 'DELETE FROM kept')
    expect(await repository.ask(worktree, countKept)).toBe('0')
    expect(await repository.ask(repository.path, countKept)).toBe('1000')
    expect(await readSystemIdentifier(dataDirOf(worktree))).not.toBe(
      await readSystemIdentifier(repository.dataDir),
    )
    expect(repository.git('-C', worktree, 'status', '--short', '--untracked-files=all')).toBe('')
  })

  test('forks one that runs and is written to: all that was committed before, and it goes on', async () => {
    await using repository = await withData()
    await repository.answer(['start'])
    await using writer = new Writer(repository)
    const before = Number(await repository.ask(repository.path, countKept))
    const worktree = repository.worktree('topic')
    const forked = Number(await repository.ask(worktree, countKept))
    const after = Number(await repository.ask(repository.path, countKept))
    expect([before <= forked, forked <= after]).toEqual([true, true])
    await writer[Symbol.asyncDispose]()
    expect(writer.failure).toBe('')
    // Nothing of main's goes on in the fork.
    expect(await repository.ask(worktree, countKept)).toBe(String(forked))
  })

  test('forks one whose server was killed', async () => {
    await using repository = await withData()
    await repository.answer(['start'])
    await repository.ask(repository.path, 'INSERT INTO kept VALUES (0) RETURNING n')
    const { pid } = JSON.parse((await repository.answer(['status', '--json'])).stdout) as {
      pid: number
    }
    process.kill(pid, 'SIGKILL')
    expect(await repository.ask(repository.worktree('topic'), countKept)).toBe('1001')
  })

  test.each([
    ['--empty', ['--empty'], null],
    ['howdah.json', [], '{ "worktrees": "empty" }'],
  ])('begins with an empty cluster by %s, and says so once', async (_, args, settings) => {
    await using repository = await withData()
    const worktree = repository.worktree('topic')
    if (settings !== null) writeFileSync(join(worktree, 'howdah.json'), settings)
    const sql = "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'"
    const first = await repository.in(worktree, 'shell', ...args, '-c', sql)
    expect(first.stderr).toBe(
      `howdah: the worktree of topic begins with an empty cluster of its own: ${dataDirOf(worktree)}\n`,
    )
    const again = await repository.in(worktree, 'shell', ...args, '-c', sql)
    expect([again.stdout.split('\n')[2]?.trim(), again.stderr]).toEqual(['0', ''])
  })

  test.skipIf(process.getuid?.() !== 0)(
    "says why it begins empty if the main checkout's cluster is another user's (as root, who can give it away)",
    async () => {
      await using repository = await withData()
      const worktree = repository.worktree('topic')
      const project = repository.file('.howdah')
      chownSync(project, 12345, 12345)
      const first = await repository.in(worktree, 'shell', '-c', 'SELECT 1')
      chownSync(project, 0, 0)
      expect(first.stderr).toBe(
        'howdah: the worktree of topic begins with an empty cluster of its own, and not with a fork, because ' +
          `${project} belongs to another user (uid 12345): ${dataDirOf(worktree)}\n`,
      )
    },
  )

  test('is told of by commands that make none', async () => {
    await using repository = await withData()
    const worktree = repository.worktree('topic')
    for (const command of ['status', 'stop', 'destroy']) {
      expect((await answer(worktree, [command])).stderr).toContain(
        `howdah: the worktree of topic has no cluster yet; its first use forks ${repository.dataDir}\n`,
      )
    }
    expect(existsSync(dataDirOf(worktree))).toBe(false)
    expect((await repository.answer(['status'])).stderr).toBe('')
  })

  test('"shared" keeps one cluster for all worktrees', async () => {
    await using repository = await withData()
    const worktree = repository.worktree('topic')
    writeFileSync(join(worktree, 'howdah.json'), '{ "worktrees": "shared" }')
    await repository.in(worktree, 'shell', '-c', 'DELETE FROM kept')
    expect(await repository.ask(repository.path, countKept)).toBe('0')
    expect(existsSync(join(worktree, '.howdah'))).toBe(false)
  })

  test('makes a new cluster if the main checkout has none', async () => {
    await using repository = new Repository()
    const worktree = repository.worktree('topic')
    expect(await repository.in(worktree, 'shell', '-c', 'SELECT 1')).toMatchObject({
      status: 0,
      stderr: '',
    })
    expect(existsSync(dataDirOf(worktree))).toBe(true)
    expect(existsSync(repository.dataDir)).toBe(false)
  })

  test('of several at once: one forks, the others wait, and all have the data', async () => {
    await using repository = await withData()
    const worktree = repository.worktree('topic')
    const uses = Array.from({ length: 4 }, () => repository.in(worktree, 'shell', '-c', countKept))
    const results = await Promise.all(uses)
    for (const { stdout } of results) expect(stdout).toContain('1000')
    const said = results.filter(({ stderr }) => stderr.includes('forked'))
    expect(said).toHaveLength(1)
  })

  test('killed at any instant, the fork is made anew, or is whole', async () => {
    await using repository = await withData()
    await repository.answer(['start'])
    const random = new Random(17)
    for (let round = 0; round < times(4, 40); round += 1) {
      const worktree = repository.worktree(`topic-${round}`)
      const running = start(worktree, ['exec', '--', 'true'])
      await sleep(random.below(700))
      running.kill('SIGKILL')
      await running.result
      expect(await repository.ask(worktree, countKept)).toBe('1000')
      repository.git('worktree', 'remove', worktree)
    }
    expect(await repository.ask(repository.path, countKept)).toBe('1000')
  })
})

test.skipIf(!hasGit)(
  'a work tree inside of a project says once that it has a cluster of its own now (with git here)',
  async () => {
    await using outer = await withData()
    const inner = outer.file('inner')
    mkdirSync(inner)
    outer.git('init', '--quiet', inner)
    const news =
      `howdah: ${inner} has a cluster of its own from now on, ${dataDirOf(inner)}; howdah has used ` +
      `${outer.dataDir} here until now, and does with -D or PGDATA\n`
    // So do commands that make none, until there is one.
    for (const command of ['status', 'stop', 'url', 'destroy', 'databases']) {
      expect((await answer(inner, [command])).stderr).toContain(news)
    }
    const first = await outer.in(inner, 'shell', '-c', 'SELECT 1')
    expect(first.stderr).toBe(news)
    expect((await outer.in(inner, 'shell', '-c', 'SELECT 1')).stderr).toBe('')
    expect((await outer.in(inner, 'status')).stderr).toBe('')
    expect((await outer.in(inner, 'destroy')).stderr).not.toContain('from now on')
  },
)

/** Inserts rows one by one, each committed, until it is disposed. */
class Writer implements AsyncDisposable {
  failure = ''
  #ended = false
  readonly #done: Promise<void>

  constructor(repository: Repository) {
    this.#done = this.#write(repository)
  }

  async #write(repository: Repository): Promise<void> {
    while (!this.#ended) {
      const sql = 'INSERT INTO kept VALUES (0)'
      const { status, stderr } = await repository.answer(['shell', '-q', '-c', sql])
      if (status !== 0) this.failure = stderr
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    await this.#done
  }
}
