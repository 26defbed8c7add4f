import { mkdirSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { start } from '../project.ts'
import { hasGit, Repository } from './repository.ts'
import { serversBelow } from '@howdah/postgres-fixtures'

describe.skipIf(!hasGit)('the cluster of a worktree (with git on the machine)', () => {
  test.each([
    ['git worktree remove', false],
    ['rm -rf', false],
    ['git worktree remove', true],
    ['rm -rf', true],
  ])('ends with it by %s, though it is used (and pinned: %s)', async (how, pinned) => {
    await using repository = new Repository()
    await repository.answer(['exec', '--', 'true'])
    const worktree = repository.worktree('topic')
    if (pinned) await repository.in(worktree, 'start')
    const user = start(worktree, ['exec', '--', 'sh', '-c', 'echo here; exec sleep 600'])
    await user.says('here')
    expect(serversBelow(worktree)).not.toEqual([])
    if (how === 'rm -rf') rmSync(worktree, { recursive: true })
    else repository.git('worktree', 'remove', worktree)
    await until('its server is gone', () => serversBelow(worktree).length === 0, 5000)
    user.kill('SIGTERM')
    await user.result
    const listed = JSON.parse((await repository.answer(['ls', '--json'])).stdout) as {
      dataDir: string
    }[]
    expect(listed.filter(({ dataDir }) => dataDir.startsWith(worktree))).toEqual([])
  })

  test('ends with its users, also if all of them are killed', async () => {
    await using repository = new Repository()
    await repository.answer(['exec', '--', 'true'])
    const worktree = repository.worktree('topic')
    const user = start(worktree, ['exec', '--', 'sh', '-c', 'echo here; exec sleep 600'])
    await user.says('here')
    process.kill(-user.child.pid!, 'SIGKILL')
    await until('its server is gone', () => serversBelow(worktree).length === 0, 5000)
    repository.git('worktree', 'remove', worktree)
    expect(repository.git('worktree', 'list')).not.toContain(worktree)
  })

  test.each(['pinned', 'in use'])(
    'ends its server when it is moved, though that is %s, and starts it again where it is',
    async (how) => {
      await using repository = new Repository()
      await repository.answer(['exec', '--', 'true'])
      const worktree = repository.worktree('topic')
      const user =
        how === 'pinned'
          ? null
          : start(worktree, ['exec', '--', 'sh', '-c', 'echo here; exec sleep 600'])
      if (user === null) await repository.in(worktree, 'start')
      else await user.says('here')
      await repository.in(worktree, 'shell', '-q', '-c', 'CREATE TABLE kept AS SELECT 1 AS n')
      const moved = repository.file('elsewhere', 'moved')
      mkdirSync(repository.file('elsewhere'))
      repository.git('worktree', 'move', worktree, moved)
      await until('its server is gone', () => serversBelow(moved).length === 0, 5000)
      expect(await repository.ask(moved, 'SELECT n FROM kept')).toBe('1')
      user?.kill('SIGTERM')
      await user?.result
      await until('nothing runs', () => serversBelow(repository.path).length === 0, 5000)
      repository.git('worktree', 'remove', moved)
      await repository.isQuiet()
    },
  )

  test('is forgotten by the next command of anybody, with what a killed server has left', async () => {
    await using repository = new Repository()
    await repository.answer(['start'])
    const worktree = repository.worktree('topic')
    await repository.in(worktree, 'start')
    const state = join(process.env['HOWDAH_STATE_DIR'] ?? '', 'clusters')
    const known = () =>
      readdirSync(state).filter((name) => readlinkSync(join(state, name)).startsWith(worktree))
    expect(known()).toHaveLength(1)
    for (const pid of serversBelow(worktree)) process.kill(pid, 'SIGKILL')
    rmSync(worktree, { recursive: true })
    await repository.howdah(['exec', '--', 'true'])
    expect(known()).toEqual([])
    await repository.answer(['stop'])
  })

  test('is listed by its branch', async () => {
    await using repository = new Repository()
    await repository.answer(['exec', '--', 'true'])
    const worktree = repository.worktree('topic')
    await repository.in(worktree, 'exec', '--', 'true')
    const { stdout } = await repository.answer(['ls'])
    expect(stdout).toMatch(
      new RegExp(`${worktree}/\\.howdah/data .* worktree topic of ${repository.path}\\n`),
    )
    const listed = JSON.parse((await repository.answer(['ls', '--json'])).stdout) as {
      dataDir: string
      worktree?: object
    }[]
    expect(listed.find(({ dataDir }) => dataDir.startsWith(worktree))?.worktree).toEqual({
      branch: 'topic',
      main: repository.path,
    })
    expect(listed.find(({ dataDir }) => dataDir === repository.dataDir)).not.toHaveProperty(
      'worktree',
    )
  })

  test('is made anew by reset, from what the main checkout has now', async () => {
    await using repository = new Repository()
    await repository.answer(['shell', '-c', 'CREATE TABLE one AS SELECT 1'])
    const worktree = repository.worktree('topic')
    await repository.in(worktree, 'shell', '-c', 'DROP TABLE one')
    await repository.answer(['shell', '-c', 'CREATE TABLE two AS SELECT 2'])
    const tables =
      "SELECT string_agg(tablename, ' ' ORDER BY 1) FROM pg_tables WHERE schemaname = 'public'"
    // With what a failure says in its place.
    const done = { status: 0, stdout: '', stderr: expect.any(String) }
    expect(await repository.in(worktree, 'reset')).toEqual(done)
    expect(await repository.ask(worktree, tables)).toBe('one two')
    expect(await repository.in(worktree, 'undo')).toEqual(done)
    expect(await repository.ask(worktree, tables)).toBe('')
    expect(await repository.in(worktree, 'reset', '--empty', '--no-save')).toEqual(done)
    expect(await repository.ask(worktree, tables)).toBe('')
    // If the fork fails, all is as it was.
    writeFileSync(join(repository.dataDir, 'standby.signal'), '')
    expect(await repository.in(worktree, 'reset')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('it is a standby'),
    })
    rmSync(join(repository.dataDir, 'standby.signal'))
    expect(await repository.ask(worktree, tables)).toBe('')
    // Not of the main checkout, which has nothing to be made from.
    const refused = await repository.answer(['reset'])
    expect([refused.status, refused.stderr]).toEqual([
      2,
      expect.stringContaining('is not the cluster of a linked worktree'),
    ])
    expect(await repository.ask(repository.path, tables)).toBe('one two')
  })
})
