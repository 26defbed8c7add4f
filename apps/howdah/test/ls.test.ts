import { realpathSync, rmSync } from 'node:fs'
import { userInfo } from 'node:os'
import { until } from '@howdah/fixtures'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Project } from './project.ts'

let project: Project

beforeEach(() => {
  project = new Project()
  // A state of its own, so that only the clusters of this test are listed.
  vi.stubEnv('HOWDAH_STATE_DIR', project.file('state'))
})
afterEach(async () => {
  await project[Symbol.asyncDispose]()
  vi.unstubAllEnvs()
})

/** One of the clusters that are listed. */
interface Listed {
  readonly dataDir: string
  readonly state: string
  readonly users: readonly { readonly pid: number; readonly command: string }[]
}

async function listed(): Promise<Listed[]> {
  const { status, stdout, stderr } = await project.answer(['ls', '--json'])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout) as Listed[]
}

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

test('nothing is listed if there is nothing', async () => {
  expect(await project.howdah(['ls'])).toEqual({
    status: 0,
    stdout: '',
    stderr: 'no cluster is known here\n',
  })
  expect(await project.answer(['ls', '--quiet'])).toMatchObject({ stdout: '', stderr: '' })
  expect(await project.answer(['ls', '--json'])).toMatchObject({ stdout: '[]\n' })
})

test('every process that uses a cluster is listed until it ends or is killed, and the cluster until it is destroyed', async () => {
  const wait = ['node', '-e', 'console.log("here"); process.stdin.resume()']
  const one = project.start(['exec', '-d', 'app', '--', ...wait], { input: null })
  await one.says('here')
  const another = project.start(['exec', '--tcp', '--', ...wait], {
    env: { PGDATA: project.file('two') },
    input: null,
  })
  await another.says('here')

  const user = userInfo().username
  const dataDir = realpathSync(project.dataDir)
  expect(await listed()).toEqual([
    {
      dataDir,
      state: 'running',
      version: expect.stringMatching(/^\d+$/),
      pid: expect.any(Number),
      startedAt: time,
      port: 1,
      socketDirectory: dataDir,
      listenAddress: null,
      ours: true,
      pinned: false,
      users: [
        {
          pid: one.child.pid,
          command: expect.stringContaining('exec -d app -- node'),
          user,
          since: time,
          database: 'app',
          how: 'socket',
        },
      ],
    },
    expect.objectContaining({
      dataDir: project.file('two'),
      users: [
        expect.objectContaining({ pid: another.child.pid, database: 'postgres', how: 'tcp' }),
      ],
    }),
  ])

  const { stdout } = await project.howdah(['ls'])
  const lines = stdout.split('\n')
  expect(lines).toHaveLength(5)
  expect(lines[0]).toMatch(/\.howdah\/data {2}\d+ {2}running {2}\d{4}-\S+Z$/)
  expect(lines[1]).toMatch(`  pid ${one.child.pid}`)
  expect(lines[1]).toContain(user)
  expect(lines[1]).toMatch(/Z {2}\S.*bin\.\w+ exec -d app -- node/)

  one.kill('SIGKILL')
  // What they run reads it to its end; that of the one that was killed lives on.
  for (const { child, result } of [one, another]) {
    child.stdin?.end()
    await result
  }
  await until('both are stopped', async () =>
    (await listed()).every(({ state }) => state === 'stopped'),
  )
  expect((await listed()).map(({ users }) => users)).toEqual([[], []])
  rmSync(project.file('two'), { recursive: true })
  await project.answer(['destroy'])
  expect(await listed()).toEqual([])
})
