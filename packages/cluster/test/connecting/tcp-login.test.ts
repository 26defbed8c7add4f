import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Cluster, type Server } from '../../src/index.ts'
import { newest } from '@howdah/postgres-fixtures'

let home: TemporaryDirectory
let cluster: Cluster
let notices: string[]

beforeEach(() => {
  home = temporaryDirectory()
  notices = []
  const onNotice = (notice: string) => notices.push(notice)
  cluster = new Cluster(home.file('data'), { strategy: newest.strategy, onNotice })
})

afterEach(async () => {
  await cluster.stop({ force: true })
  home[Symbol.dispose]()
})

/** Whether its URL lets one in. */
async function admits(server: Server): Promise<boolean> {
  const client = new Client({ connectionString: server.url() })
  await client.connect()
  await client.end()
  return true
}

const owner = (server: Server) => `"${server.address.user.replaceAll('"', '""')}"`

async function change(statement: (owner: string) => string): Promise<void> {
  const server = await cluster.server()
  const client = await server.connect()
  await client.query(statement(owner(server)))
  await client.end()
}

const told = expect.stringMatching(/^somebody had given the role ".*" another password, so /)

describe.each(['stays up', 'is started anew'])('over TCP, to a server that %s', (how) => {
  it.each([
    ['has another password', `PASSWORD 'another'`],
    ['has no password', 'PASSWORD NULL'],
    ['has one that has expired', `VALID UNTIL '2001-01-01'`],
  ])('one can log in although the owner %s', async (_, clause) => {
    await cluster.start({ tcp: true })
    await change((role) => `ALTER ROLE ${role} ${clause}`)
    if (how !== 'stays up') await cluster.stop()
    {
      await using session = await cluster.run({ tcp: true })
      expect(await admits(session)).toBe(true)
    }
    expect(notices).toEqual([told])
    await using session = await cluster.run({ tcp: true, database: 'app' })
    expect(await admits(session)).toBe(true)
    expect(notices).toHaveLength(1)
  })

  it('one can log in although the file of the password was removed', async () => {
    await cluster.start({ tcp: true })
    rmSync(home.file('data', 'howdah.password'))
    if (how !== 'stays up') await cluster.stop()
    await using session = await cluster.run({ tcp: true })
    expect(await admits(session)).toBe(true)
    expect(notices).toEqual([])
  })

  it('a password of the own choice can be put into the file', async () => {
    await cluster.start({ tcp: true })
    await change((role) => `ALTER ROLE ${role} PASSWORD 'p/w ?'`)
    writeFileSync(home.file('data', 'howdah.password'), 'p/w ?\n')
    if (how !== 'stays up') await cluster.stop()
    await using session = await cluster.run({ tcp: true })
    expect(session.address.password).toBe('p/w ?')
    expect(await admits(session)).toBe(true)
    expect(notices).toEqual([])
  })
})

it('says why one cannot log in over TCP, if that is not the password', async () => {
  await cluster.start({ tcp: true })
  const rules = home.file('data', 'pg_hba.conf')
  writeFileSync(rules, readFileSync(rules, 'utf8').replaceAll(/^host .*$/gm, ''))
  await (await cluster.server()).settings.reload()
  await expect(cluster.run({ tcp: true })).rejects.toMatchObject({
    code: 'ERR_CLUSTER_TCP_LOGIN',
    message: expect.stringMatching(/: no pg_hba\.conf entry for host .*; put the role's password /),
  })
  await using session = await cluster.run()
  expect(await session.databases()).toContain('postgres')
})
