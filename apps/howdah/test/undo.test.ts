import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory, type TemporaryDirectory, until } from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Project } from './project.ts'

/**
 * Every command removes what is too old or unfinished of all known clusters. So those of other tests must not be known: one of
 * these commands has a clock that is ahead. And theirs must not know these.
 */
let state: TemporaryDirectory
beforeAll(() => {
  state = temporaryDirectory()
  vi.stubEnv('HOWDAH_STATE_DIR', state.file('state'))
})
afterAll(() => {
  vi.unstubAllEnvs()
  state[Symbol.dispose]()
})

/** What `undo list` says, without the time. */
async function saved(project: Project): Promise<object[]> {
  const { stdout } = await project.answer(['undo', 'list', '--json'])
  const rows = JSON.parse(stdout) as { kind: string; name: string | null; by: string }[]
  return rows.map(({ kind, name, by }) => ({ kind, name, by }))
}

const sum = ['shell', '-q', '-c', 'SELECT sum(n) FROM kept']
const makeData = ['shell', '-q', '-c', 'CREATE TABLE kept AS SELECT generate_series(1, 10) AS n']

describe('what is destroyed or dropped', () => {
  test('is saved, listed, and brought back by undo; and again what was there meanwhile', async () => {
    await using project = new Project()
    await project.answer(makeData)
    expect((await project.howdah(['destroy'])).stderr).toContain('"howdah undo" brings it back')
    expect(existsSync(project.dataDir)).toBe(false)
    expect(await saved(project)).toEqual([{ kind: 'cluster', name: null, by: 'destroy' }])
    await project.answer(['exec', '--', 'true'])
    const undone = await project.howdah(['undo'])
    expect([undone.status, undone.stderr]).toEqual([
      0,
      expect.stringContaining(`brought back ${project.dataDir}, as it was at `),
    ])
    expect((await project.answer(sum)).stdout).toContain('55')
    expect(await saved(project)).toEqual([{ kind: 'cluster', name: null, by: 'undo' }])
    await project.answer(['undo', 'clear'])
    expect(await saved(project)).toEqual([])
    expect((await project.answer(['undo'])).status).toBe(2)
  })

  test('a database too, while others are used; it is not a database of the list meanwhile', async () => {
    await using project = new Project()
    const name = `it's "äpp"`
    await project.answer(['createdb', name])
    await project.answer([...makeData, '-d', name])
    await project.answer(['dropdb', name])
    expect((await project.answer(['databases'])).stdout).toBe('postgres\ntemplate0\ntemplate1\n')
    expect(await saved(project)).toEqual([{ kind: 'database', name, by: 'dropdb' }])
    await project.answer(['createdb', name])
    await project.answer(['undo'])
    expect((await project.answer([...sum, '-d', name])).stdout).toContain('55')
    // The empty one that was in its place is saved now.
    expect(await saved(project)).toEqual([{ kind: 'database', name, by: 'undo' }])
  })

  test('is gone with --no-save', async () => {
    await using project = new Project()
    await project.answer(['createdb', 'app'])
    await project.answer(['dropdb', 'app', '--no-save'])
    expect(await saved(project)).toEqual([])
    expect((await project.answer(['destroy', '--no-save'])).stderr).toBe(
      `destroyed ${project.dataDir}\n`,
    )
    expect(readdirSync(project.file('.howdah'))).toEqual(['.gitignore'])
  })

  test('stays if the restore that replaces it is killed, and the next command of anybody clears what that has made', async () => {
    await using project = new Project()
    await project.answer(makeData)
    await project.answer(['backup', '--into', 'backups'])
    const place = project.file('.howdah/saved')
    const kept = () => (existsSync(place) ? readdirSync(place) : [])
    const restore = project.start(['restore', '--from', 'backups', '--to', project.dataDir])
    await until('it makes a cluster', () => kept().length > 0)
    process.kill(-restore.child.pid!, 'SIGKILL')
    await restore.result
    expect(kept()).toHaveLength(1)
    expect(await saved(project)).toEqual([])
    await using elsewhere = new Project()
    await elsewhere.howdah(['ls'])
    expect(kept()).toEqual([])
    expect((await project.answer(sum)).stdout).toContain('55')
  })

  test('is removed after 7 days by the next that is saved', async () => {
    await using project = new Project()
    await project.answer(['exec', '--', 'true'])
    await project.answer(['destroy'])
    const [id = ''] = readdirSync(project.file('.howdah/saved'))
    const file = project.file('.howdah/saved', id, 'saved.json')
    const old = new Date(Date.now() - 8 * 24 * 60 * 60 * 1000).toISOString()
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"at":"[^"]*"/, `"at":"${old}"`))
    await project.answer(['exec', '--', 'true'])
    await project.answer(['destroy'])
    const left = readdirSync(project.file('.howdah/saved'))
    expect([left.length, left.includes(id)]).toEqual([1, false])
  })

  test.each(['ls', 'undo'])('is removed after 7 days by %s', async (command) => {
    await using project = new Project()
    await project.answer(['exec', '--', 'true'])
    await project.answer(['destroy'])
    await project.answer(['createdb', 'app'])
    await project.answer(['dropdb', 'app'])
    const days = (many: number) => {
      const shift = many * 24 * 60 * 60 * 1000
      const script = `const now = Date.now; Date.now = () => now() + ${shift}`
      return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` }
    }
    const place = project.file('.howdah/saved')
    const run = async (many: number) => {
      const args = command === 'ls' ? ['ls'] : ['undo', 'list', '--json']
      const { status, stdout } = await project.howdah(args, { env: days(many) })
      const listed = command === 'ls' ? [] : (JSON.parse(stdout) as unknown[])
      return { status, listed: listed.length, kept: readdirSync(place).length }
    }
    expect(await run(6)).toEqual({ status: 0, listed: command === 'ls' ? 0 : 2, kept: 1 })
    expect(await run(8)).toEqual({ status: 0, listed: 0, kept: 0 })
  })

  test('even if the data directory is a link: as a copy', async () => {
    await using project = new Project()
    mkdirSync(project.file('elsewhere'), { mode: 0o700 })
    mkdirSync(project.file('.howdah'))
    symlinkSync('../elsewhere', project.dataDir)
    await project.answer(makeData)
    expect((await project.answer(['destroy'])).status).toBe(0)
    expect(readdirSync(project.file('elsewhere'))).toEqual([])
    const [id = ''] = readdirSync(project.file('.howdah/saved'))
    const kept = join(project.file('.howdah/saved'), id, 'data')
    expect((await project.answer([...sum, '-D', kept])).stdout).toContain('55')
    expect((await project.answer(['undo'])).status).toBe(0)
    expect((await project.answer(sum)).stdout).toContain('55')
    expect(lstatSync(project.dataDir).isSymbolicLink()).toBe(true)
  })
})
