import { mkdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Project } from './project.ts'

test.concurrent('nothing in the environment confuses a server, nor its clients', async () => {
  await using project = new Project()
  const env = {
    PGPORT: 'abc',
    PGHOST: '/nowhere',
    PGUSER: 'nobody at all',
    PGPASSWORD: 'x',
    PGSERVICE: 'x',
    PGSERVICEFILE: '/nowhere/x',
    PGHOSTADDR: '192.0.2.1',
    PGSSLMODE: 'verify-full',
    PGREQUIREAUTH: 'scram-sha-256',
    PGTARGETSESSIONATTRS: 'standby',
    PGCLIENTENCODING: 'LATIN1',
    PGOPTIONS: '-c statement_timeout=10min',
    PGDATESTYLE: 'German',
    PGTZ: 'Asia/Tokyo',
    TZ: 'Nowhere/Else',
    LANG: 'xx',
    LC_ALL: 'xx',
    DATABASE_URL: 'postgresql://192.0.2.1/x',
  }
  const show = ['SHOW server_encoding', 'SHOW lc_messages', 'SHOW log_timezone', 'SHOW port']
  const args = show.flatMap((sql) => ['-c', sql])
  const { status, stdout, stderr } = await project.howdah(args, { env })
  // psql, or perl in its wrapper, may complain about the locale.
  expect({ status, stdout, stderr: status === 0 ? '' : stderr }).toMatchObject({
    status: 0,
    stderr: '',
  })
  // As psql and the built-in prompt have them: below a line.
  const values = [...stdout.matchAll(/^-+\n (.*?) *$/gm)].map(([, value]) => value)
  expect(values).toEqual(['UTF8', 'C', 'UTC', expect.stringMatching(/^\d+$/)])
  expect((await project.howdah(['databases'], { env })).stdout).toContain('postgres\n')
  expect((await project.howdah(['start'], { env })).status).toBe(0)
  expect((await project.howdah(['url'], { env })).stdout).not.toContain('192.0.2.1')
  expect((await project.howdah(['stop'], { env })).status).toBe(0)
})

test.concurrent('PGDATA and PGDATABASE mean what they say', async () => {
  await using project = new Project()
  const env = { PGDATA: 'here', PGDATABASE: 'mine' }
  const { stdout } = await project.howdah(['exec', 'sh', '-c', 'echo "$PGDATA $PGDATABASE"'], {
    env,
  })
  expect(stdout).toBe(`${project.file('here')} mine\n`)
  expect((await project.howdah(['databases'], { env })).stdout).toContain('mine\n')
  expect((await project.howdah(['destroy'], { env })).status).toBe(0)
})

describe.concurrent('a data directory may be called anything', () => {
  test.each([
    ['of 200 characters', 'x'.repeat(100) + '/' + 'y'.repeat(100)],
    [
      'with spaces, quotes, $ and more',
      `a b'c"d$HOME\`e\\f;g&h*i?j|k<l>m(n)o#p%q~r!s{t}u[v]w=x;y:z@`,
    ],
    ['of characters from everywhere', 'Слон 象 🐘 äöü e\u0301'],
    ['of all that', `${'Слон 象 🐘 '.repeat(10)} a'b"c$d\\e ${'z'.repeat(40)}`],
  ])('%s', async (_, name) => {
    await using project = new Project()
    mkdirSync(project.file('in'))
    const dataDir = project.file('in', name)
    const node = `const { Client } = require('pg')
      const client = new Client(process.env.DATABASE_URL)
      client.connect().then(() => client.query('SHOW data_directory'))
        .then(({ rows }) => { process.stdout.write(rows[0].data_directory); return client.end() })`
    const args = ['-D', dataDir, 'exec', '--', process.execPath, '-e', node]
    const env = { NODE_PATH: new URL('../node_modules', import.meta.url).pathname }
    const { status, stdout, stderr } = await project.howdah(args, { env })
    expect({ status, stderr, stdout }).toEqual({ status: 0, stderr: '', stdout: dataDir })
    expect((await project.howdah(['-D', dataDir, '-c', 'SELECT 1'])).stdout).toMatch(/^ +1$/m)
    expect((await project.howdah(['-D', dataDir, 'destroy'])).status).toBe(0)
  })
})
