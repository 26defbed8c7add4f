import { readdirSync, readFileSync } from 'node:fs'
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
const failed = (message: RegExp, status = 1) => ({
  status,
  stdout: '',
  stderr: expect.stringMatching(message),
})

// In the order of a cluster's life, each from what the one before has left.
describe.sequential('howdah clone', () => {
  test('has to know where to, and needs a cluster', async () => {
    expect(await howdah('clone')).toEqual(failed(/required option '--to <path>' not specified/, 2))
    expect(await howdah('clone', '--to', 'copy')).toEqual(failed(/there is no PostgreSQL cluster/))
    expect(readdirSync(project.path)).toEqual([])
  })

  test('copies a cluster that does not run', async () => {
    await howdah('shell', '-c', 'CREATE TABLE kept AS SELECT 42 AS answer')
    const to = project.file('the copy')
    expect(await howdah('clone', '--to', 'the copy')).toEqual({
      status: 0,
      stdout: '',
      stderr: expect.stringContaining(`cloned ${project.dataDir} into ${to}\n`),
    })
    const shell = await howdah('shell', '-D', to, '-c', 'TABLE kept')
    expect(shell).toMatchObject({ status: 0, stdout: expect.stringContaining('42') })
  })

  test('git sees neither a copy nor what was restored in a .howdah', async () => {
    const cloned = await howdah('clone', '--to', 'cloned/.howdah/data')
    await howdah('backup', '--into', 'backups')
    const restored = await howdah('restore', '--from', 'backups', '--to', 'restored/.howdah/data')
    expect([cloned.status, restored.status]).toEqual([0, 0])
    for (const name of ['cloned', 'restored'])
      expect(readFileSync(project.file(name, '.howdah/.gitignore'), 'utf8')).toBe('*\n')
  })

  test('copies one that runs, which goes on', async () => {
    await howdah('start')
    const { status, stdout } = await howdah('clone', '--to', 'other', '--json')
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      dataDir: project.file('other'),
      from: project.dataDir,
      systemIdentifier: expect.stringMatching(/^\d+$/),
    })
    expect((await howdah('stop')).stderr).toContain('stopped PostgreSQL')
    expect((await howdah('destroy', '-D', 'other')).stderr).toContain('destroyed')
  })

  test('refuses a place that is taken', async () => {
    expect(await howdah('clone', '--to', 'the copy')).toEqual(failed(/left alone; choose an empty/))
    const inside = project.file('.howdah', 'data', 'x')
    expect(await howdah('clone', '--to', inside)).toEqual(failed(/it lies in .*; choose a dir/))
  })
})
