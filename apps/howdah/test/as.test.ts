import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { freePorts } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { Project } from './project.ts'

/** What the code of a project does: the login stands in it, and nothing comes from the environment. */
const client = fileURLToPath(new URL('clients/fixed-login.mjs', import.meta.url))

const freePort = async () => (await freePorts(1))[0] ?? 0

test.concurrent.each(['--temporary', '--datadir=data'])(
  'code with a login of its own runs unchanged by --as, with %s',
  async (where) => {
    await using project = new Project()
    const port = await freePort()
    const as = `postgresql://postgres:postgres@localhost:${port}/app`
    const run = async (...more: string[]) =>
      await project.howdah(['exec', where, '--as', as, ...more, '--', 'node', client, String(port)])
    const { status, stdout, stderr } = await run()
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      role: 'postgres',
      bootstrap: true,
      database: 'app',
      url: `postgresql://postgres:postgres@127.0.0.1:${port}/app?sslmode=disable`,
    })
    // Its parts have the last word.
    expect((await run('--password', 'another')).stderr).toContain('password authentication failed')
  },
)

test.concurrent('PGUSER and PGPASSWORD name the superuser of a new cluster', async () => {
  await using project = new Project()
  const port = await freePort()
  const env = { PGUSER: 'postgres', PGPASSWORD: 'postgres', PGDATABASE: 'app' }
  const args = ['exec', '--tcp', String(port), '--', 'node', client, String(port)]
  const { status, stdout, stderr } = await project.howdah(args, { env })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({ role: 'postgres', bootstrap: true, database: 'app' })
})

test.concurrent('what PGUSER and PGPASSWORD do not change is said, once', async () => {
  await using project = new Project()
  const tcp = `--tcp=${await freePort()}`
  await project.howdah(['exec', '--user', 'one', tcp, '--', 'true'])
  const show = ['exec', tcp, '--', 'sh', '-c', 'echo $PGUSER']
  const told = await project.howdah(show, { env: { PGUSER: 'two', PGPASSWORD: 'x' } })
  expect(told).toMatchObject({ status: 0, stdout: 'one\n' })
  expect(told.stderr.split('\n')).toEqual([
    expect.stringMatching(/^howdah: PGUSER=two does not count, .* is "one"; for another one use/),
    expect.stringMatching(/^howdah: PGPASSWORD does not count, /),
    '',
  ])
  const nested = ['exec', tcp, '--', 'sh', '-c', 'true']
  expect(await project.howdah(nested, { env: { PGUSER: 'one' } })).toMatchObject({ stderr: '' })
  // Asked for by name it is more than a wish.
  const refused = await project.howdah(['exec', '--user', 'two', '--', 'true'])
  expect(refused).toMatchObject({ status: 125, stderr: expect.stringContaining('not "two"') })
})

test.concurrent('a URL that cannot be provided is a mistake of the command line', async () => {
  await using project = new Project()
  const as = 'postgresql://u:secret@db.example.com/app'
  const { status, stderr } = await project.howdah(['exec', '--as', as, '--', 'true'])
  expect({ status, stderr }).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('localhost'),
  })
  expect(stderr).not.toContain('secret')
})

test.concurrent('a new cluster begins with what scripts have made', async () => {
  await using project = new Project()
  mkdirSync(project.file('sql'))
  writeFileSync(project.file('sql/1.sql'), 'CREATE TABLE notes (note text)')
  writeFileSync(project.file('sql/2.sql'), "INSERT INTO notes VALUES ('made')")
  const run = async (...args: string[]) =>
    await project.howdah([
      'shell',
      '--init',
      'sql/*.sql',
      '-d',
      'app',
      '-c',
      'TABLE notes',
      ...args,
    ])
  for (const args of [['--temporary'], [], []]) {
    const { status, stdout } = await run(...args)
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining(' made\n') })
  }
  writeFileSync(project.file('sql/3.sql'), 'SELECT nonsense')
  const failed = await run('--temporary')
  expect(failed).toMatchObject({ status: 125, stderr: expect.stringContaining('3.sql failed') })
})

test.concurrent('a program gets the variables that it wants', async () => {
  await using project = new Project()
  const port = await freePort()
  const as = `postgresql://postgres:p%40ss@localhost:${port}/app`
  const variables = ['POSTGRES_DSN={base}', 'DB=x{host}:{port}/{database}', 'SECRET={password}']
  const env = variables.flatMap((one) => ['--env', one])
  const print = ['sh', '-c', 'echo "$POSTGRES_DSN $DB $SECRET"']
  const run = async (...args: string[]) => await project.howdah(['exec', ...args, '--', ...print])
  expect(await run('--temporary', '--as', as, ...env)).toMatchObject({
    status: 0,
    stdout: `postgresql://postgres:p%40ss@127.0.0.1:${port} x127.0.0.1:${port}/app p@ss\n`,
  })
  const refused = await run('--temporary', '--env', 'A={nonsense}')
  expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('{base}') })
})

test.concurrent('with --tls, the URL tells clients to verify the server, also if howdah url prints it', async () => {
  await using project = new Project()
  const port = await freePort()
  const variables = 'echo $PGHOST $PGSSLMODE $PGSSLROOTCERT $NODE_EXTRA_CA_CERTS'
  const args = ['exec', '--tls', `--tcp=${port}`, '--', 'sh', '-c', variables]
  const { stdout, stderr } = await project.howdah(args, { env: { NODE_EXTRA_CA_CERTS: undefined } })
  expect(stderr).toBe('')
  const [host, mode, authority, trusted] = stdout.trim().split(' ')
  expect([host, mode, trusted]).toEqual(['localhost', 'verify-full', authority])
  await project.howdah(['start', '--tls', `--tcp=${port}`])
  const url = await project.howdah(['url', '--tls'])
  expect(url.stdout).toContain(
    `sslmode=verify-full&sslrootcert=${encodeURIComponent(authority ?? '')}`,
  )
  expect((await project.howdah(['url', '--tcp'])).stdout).not.toContain('sslmode')
})
