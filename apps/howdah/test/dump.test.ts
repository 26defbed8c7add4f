import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Project } from './project.ts'

let project: Project
beforeAll(() => {
  project = new Project()
})
afterAll(async () => {
  await project[Symbol.asyncDispose]()
})

// Whatever pg_dump there is, its preamble differs.
const args = ['--', '--restrict-key=thesame']

// In the order of a database's life, each from what the one before has left.
describe.sequential('howdah dump and load', () => {
  test('a dump makes no cluster, nor a database: status 1 and 2', async () => {
    expect(await project.howdah(['dump'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/there is no PostgreSQL cluster in .*; create one/) as unknown,
    })
    await project.howdah(['-c', 'CREATE TABLE pets AS SELECT 1 AS id'])
    expect(await project.howdah(['dump', '-d', 'nope'])).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('there is no database nope') as unknown,
    })
    expect((await project.howdah(['databases'])).stdout).not.toContain('nope')
  })

  test('a database goes into a file, or to stdout, and from there into another database', async () => {
    const file = project.file('pets.sql')
    expect(await project.howdah(['dump', '--to', 'pets.sql', ...args])).toMatchObject({
      status: 0,
      stdout: '',
      stderr: expect.stringContaining(`into ${file}`) as unknown,
    })
    const { stdout } = await project.howdah(['dump', ...args])
    expect(stdout).toBe(readFileSync(file, 'utf8'))
    expect(await project.howdah(['load', 'pets.sql', '-d', 'one'])).toMatchObject({ status: 0 })
    expect(await project.howdah(['load', '-', '-d', 'two'], { input: stdout })).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/into database two: \d+ statements, 1 rows/) as unknown,
    })
    for (const name of ['one', 'two'])
      expect((await project.howdah(['dump', '-d', name, ...args])).stdout).toBe(stdout)
  })

  test('pg_dump gets its options, but not those of the connection', async () => {
    const { stdout } = await project.howdah(['dump', '--', '--schema-only'])
    expect(stdout).toContain('CREATE TABLE public.pets')
    expect(stdout).not.toContain('COPY')
    expect(await project.howdah(['dump', '--', '--host=elsewhere'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is set by howdah') as unknown,
    })
    expect(await project.howdah(['dump', '--', '--nonsense'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('nonsense') as unknown,
    })
  })

  test('--json is for what went into a file', async () => {
    const refused = await project.howdah(['dump', '--json'])
    expect([refused.status, refused.stdout]).toEqual([2, ''])
    expect(JSON.parse(refused.stderr)).toMatchObject({
      error: { message: expect.stringContaining('--to FILE') as unknown },
    })
  })

  test('an error is shown with its place, and --single-transaction takes all back', async () => {
    writeFileSync(project.file('bad.sql'), 'CREATE TABLE first (n int);\nSELECT nothing;\n')
    expect(await project.howdah(['load', '-1', 'bad.sql', '-d', 'one'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('bad.sql:2: column "nothing" does not exist\n') as unknown,
    })
    const { stdout } = await project.howdah(['dump', '-d', 'one'])
    expect(stdout).not.toContain('first')
  })
})
