import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Project } from './project.ts'

let project: Project
beforeAll(() => {
  project = new Project()
})
afterAll(async () => {
  await project[Symbol.asyncDispose]()
})

const howdah = async (...args: string[]) => await project.answer(args)

async function json(...args: string[]): Promise<unknown> {
  const { status, stdout } = await howdah(...args, '--json')
  expect({ args, status }).toEqual({ args, status: 0 })
  return JSON.parse(stdout)
}

const change = { needsRestart: false, restarted: false, overriddenBy: null }

// In the order of a cluster's life, each from what the one before has left.
describe.sequential('howdah config', () => {
  test.each([[['list']], [['get', 'work_mem']], [['reset', 'work_mem']]])(
    '%j makes no cluster: status 1',
    async (args) => {
      expect(await howdah('config', ...args)).toEqual({
        status: 1,
        stdout: '',
        stderr: expect.stringMatching(/there is no PostgreSQL cluster in .*; create one/),
      })
    },
  )

  test('sets, gets and resets', async () => {
    expect(await howdah('config', 'set', 'work_mem', '7MB')).toEqual({
      status: 0,
      stdout: '',
      stderr: 'set work_mem to 7MB\n',
    })
    expect((await howdah('config', 'set', 'work_mem=7MB')).stderr).toBe(
      'work_mem: was 7MB already\n',
    )
    expect(await howdah('config', 'get', 'WORK_MEM')).toEqual({
      status: 0,
      stdout: '7MB\n',
      stderr: '',
    })
    expect(await json('config', 'get', 'work_mem')).toMatchObject({
      kind: 'memory',
      bytes: 7_340_032,
      source: 'configuration file',
    })
    expect(await json('config', 'reset', 'work_mem')).toEqual({
      changed: true,
      setting: 'work_mem',
      ...change,
    })
    expect((await howdah('config', 'reset', 'work_mem')).stderr).toBe('work_mem: was not set\n')
  })

  test('takes values that look like options, or are lists or odd', async () => {
    expect(await json('config', 'set', 'autovacuum_work_mem', '-1')).toMatchObject({
      changed: true,
    })
    expect(await json('config', 'set', 'search_path', 'a, "B c"')).toMatchObject({ changed: true })
    expect(await json('config', 'set', `log_line_prefix=it's "$x"=\\ 🐘`)).toMatchObject({
      changed: true,
    })
    expect((await howdah('config', 'get', 'search_path')).stdout).toBe('a, "B c"\n')
    expect((await howdah('config', 'get', 'log_line_prefix')).stdout).toBe(`it's "$x"=\\ 🐘\n`)
    expect((await howdah('config', 'reset', '--all')).stderr).toBe('reset all settings\n')
    expect((await howdah('config', 'reset', '--all')).stderr).toBe('no setting was set\n')
  })

  test('lists', async () => {
    const { stdout } = await howdah('config', 'list', 'work*')
    expect(stdout).toMatch(/^work_mem {2}4MB {2}default {2}Sets the maximum memory .*\n$/)
    expect(await json('config', 'list', 'work*')).toEqual([
      expect.objectContaining({ name: 'work_mem', kind: 'memory' }),
    ])
    expect((await howdah('config', 'list')).stdout.split('\n').length).toBeGreaterThan(250)
    expect(await howdah('config', 'list', 'nothing')).toEqual({
      status: 0,
      stdout: '',
      stderr: 'no setting is called like nothing\n',
    })
  })

  test('says nothing of a restart if the next start comes by itself', async () => {
    expect((await howdah('config', 'set', 'max_connections', '21')).stderr).toBe(
      'set max_connections to 21\n',
    )
    expect((await howdah('config', 'get', 'max_connections')).stdout).toBe('21\n')
  })

  test('says what needs a restart, and restarts if it is told to', async () => {
    await howdah('start', '--set', 'work_mem=5MB')
    expect((await howdah('config', 'set', 'max_connections', '22')).stderr).toMatch(
      /^set max_connections to 22\nmax_connections: counts after a restart; .*--restart\n$/,
    )
    expect(await howdah('config', 'get', 'max_connections')).toEqual({
      status: 0,
      stdout: '21\n',
      stderr: 'max_connections: has another value after a restart\n',
    })
    expect((await howdah('config', 'list', 'max_connections')).stdout).toMatch(
      /another after a res/,
    )
    expect(await json('config', 'set', 'max_connections', '22', '--restart')).toEqual({
      changed: false,
      setting: 'max_connections',
      ...change,
      restarted: true,
    })
    expect((await howdah('config', 'get', 'max_connections')).stdout).toBe('22\n')
    expect((await howdah('config', 'get', 'work_mem')).stdout).toBe('5MB\n')
    expect((await howdah('config', 'set', 'work_mem', '9MB')).stderr).toBe(
      'set work_mem to 9MB\nwork_mem: does not count, because it is overridden by the command line\n',
    )
  })

  test('does not restart what others use: status 75', async () => {
    const other = project.start(['exec', 'sh', '-c', 'echo here; read x'], { input: null })
    await other.says('here')
    const { status, stderr } = await howdah('config', 'set', 'max_connections', '23', '--restart')
    expect([status, stderr]).toEqual([
      75,
      expect.stringMatching(/cannot restart the server on .*pid/),
    ])
    other.child.stdin?.end()
    await other.result
  })

  test.each([
    [['set', 'no_such', '1'], /knows no setting "no_such"; /],
    [['get', 'no_such'], /knows no setting "no_such"; /],
    [['set', 'work_mem', 'lots'], /"work_mem": invalid value .*"lots"; /],
    [['set', 'port', '1'], /howdah sets it itself/],
    [['set', 'work_mem'], /config set: say which setting, and its value/],
    [['set', 'work_mem', '1MB', '--all'], /--all is for "reset"/],
    [['get'], /config get: say which setting/],
    [['get', 'work_mem', '--restart'], /it does not take --restart/],
    [['reset'], /config reset: say which setting, .* or --all/],
    [['reset', 'work_mem', '--all'], /config reset: say which setting, .* or --all/],
    [['list', 'a', 'b'], /it takes one pattern/],
    [['frob'], /config frob: there is no such action/],
    [['--mode', 'slow', 'list'], /Allowed choices are fast, safe/],
  ])('%j is misused: status 2', async (args, message) => {
    expect(await howdah('config', ...args)).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(message),
    })
  })

  test('--mode is kept, and fast warns', async () => {
    const warning = /^howdah: fast mode: fsync and full_page_writes are off /
    const { status, stderr } = await howdah('exec', '--mode', 'fast', 'true')
    expect([status, stderr]).toEqual([0, expect.stringMatching(warning)])
    expect((await howdah('config', 'get', 'fsync')).stdout).toBe('off\n')
    expect((await howdah('status')).stdout).toMatch(/^mode +fast: a crash of the machine may/m)
    await howdah('stop')
    expect((await howdah('-c', 'SHOW fsync')).stdout).toMatch(/off/)
    expect(await howdah('--mode', 'safe', 'exec', 'true')).toMatchObject({ status: 0, stderr: '' })
    expect((await howdah('-c', 'SHOW fsync')).stdout).toMatch(/on/)
    const kept = readFileSync(project.file('.howdah', 'data', 'postgresql.auto.conf'), 'utf8')
    expect(kept).not.toMatch(/fsync/)
  })
})
