import { once } from 'node:events'
import { mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { freePorts, temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { Client, type ClientConfig } from 'pg'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { Cluster, type Session, temporary, type TemporaryOptions } from '../../src/index.ts'

const { strategy } = newest
/** A container need not have IPv6. */
const loopbacks = Object.values(networkInterfaces()).flatMap((all = []) =>
  all.filter(({ internal }) => internal).map(({ address }) => address),
)

let home: TemporaryDirectory
let port: number

beforeEach(async () => {
  home = temporaryDirectory()
  process.env['HOWDAH_TEMPORARY_DIR'] = home.path
  port = (await freePorts(1))[0] ?? 0
})

afterEach(() => {
  delete process.env['HOWDAH_TEMPORARY_DIR']
  home[Symbol.dispose]()
})

interface Answer {
  readonly role: string
  readonly bootstrap: boolean
  readonly database: string
}

/** Which user on which server a client of the caller's own is. */
async function ask(config: string | ClientConfig): Promise<Answer> {
  const client = new Client(config)
  await client.connect()
  const { rows } = await client.query<Answer>(
    `SELECT current_user AS role, current_database() AS database,
            oid = 10 AS bootstrap FROM pg_roles WHERE rolname = current_user`,
  )
  await client.end()
  return rows[0] as Answer
}

const postgres = { role: 'postgres', bootstrap: true, database: 'app' }

describe('a server as a URL says', () => {
  it('is the bootstrap superuser of that name, password, port and database, at localhost', async () => {
    const as = `postgresql://postgres:postgres@localhost:${port}/app`
    await using session = await temporary({ strategy, as })
    expect(await ask(as)).toEqual(postgres)
    expect(await ask(session.url())).toEqual(postgres)
    const login = { user: 'postgres', password: 'postgres', database: 'app', port }
    // In a temporary directory with a long path, that of the socket is too long for a client.
    const way = realpathSync(mkdtempSync('/tmp/howdah-test-'))
    onTestFinished(() => rmSync(way, { recursive: true }))
    symlinkSync(session.dataDir, `${way}/data`)
    for (const host of [...loopbacks, `${way}/data`]) {
      expect(await ask({ ...login, host })).toEqual(postgres)
    }
    const wrong = ask({ ...login, host: 'localhost', password: 'wrong' })
    await expect(wrong).rejects.toMatchObject({ code: '28P01' })
  })

  it('is the same as its parts, which overrule it', async () => {
    const as = 'postgres://other:secret@localhost:1/other'
    const parts = { user: 'postgres', password: 'p', tcp: port, database: 'app' }
    for (const options of [parts, { ...parts, as }]) {
      await using session = await temporary({ strategy, ...options })
      expect(session.url()).toBe(`postgresql://postgres:p@127.0.0.1:${port}/app?sslmode=disable`)
      expect(await ask(session.url())).toEqual(postgres)
    }
  })

  it.each([
    ['p%40s%3As%2F%3F%23%25', 'p@s:s/?#%'],
    ['p:w', 'p:w'],
    ['p@w', 'p@w'],
    ['%20two%20words%20', ' two words '],
    ["it's%22%5C", `it's"\\`],
    ['%C3%A9l%C3%A9phant', 'éléphant'],
    ['a#b', 'a#b'],
  ])('has the password %s', async (written, password) => {
    const as = `postgresql://post%20gres:${written}@localhost:${port}/a%20b`
    await using session = await temporary({ strategy, as })
    const login = { host: 'localhost', port, user: 'post gres', password, database: 'a b' }
    expect(await ask(login)).toMatchObject({ role: 'post gres', database: 'a b' })
    expect(session.address.password).toBe(password)
    expect(await ask(session.url())).toMatchObject({ role: 'post gres', database: 'a b' })
  })

  it.each<[string, Partial<Session['address']> & { database: string }]>([
    ['postgresql://app@localhost:PORT', { user: 'app', database: 'app' }],
    ['postgresql://app@localhost:PORT/', { user: 'app', database: 'app' }],
    ['postgresql://app:@localhost:PORT/x', { user: 'app', database: 'x' }],
    ['postgresql://app@[::1]:PORT/x', { user: 'app', database: 'x' }],
    ['postgresql://localhost:PORT/x?user=app&password=p', { password: 'p', database: 'x' }],
  ])('%s', async (as, { database, ...address }) => {
    await using session = await temporary({ strategy, as: as.replace('PORT', String(port)) })
    expect(session).toMatchObject({ database, address: { user: 'app', port, ...address } })
    // Without a password of the URL's there is a generated one, for PGPASSWORD.
    const { PGPASSWORD } = session.env()
    const login = { host: 'localhost', port, user: 'app', database, password: PGPASSWORD }
    expect(await ask(login)).toMatchObject({ role: 'app', database })
  })

  it.each([
    'postgresql://app:secret@/x',
    'postgresql://app:secret@%2Fvar%2Frun%2Fpostgresql/x',
    'postgresql:///x?host=/tmp&user=app',
  ])('has only the socket without a host: %s', async (as) => {
    await using session = await temporary({ strategy, as })
    expect(session).toMatchObject({ database: 'x', address: { user: 'app', password: null } })
    expect(session.address.host).toMatch(/^\//)
    expect(await ask(session.url())).toMatchObject({ role: 'app', bootstrap: true })
  })

  it('with trust, lets roles without a password in, and only then', async () => {
    const as = `postgresql://postgres@localhost:${port}/app`
    const askAsGuest = async (trust: boolean) => {
      await using session = await temporary({ strategy, as, trust })
      await (await session.connect()).query('CREATE ROLE guest LOGIN')
      return await ask({ host: 'localhost', port, user: 'guest', database: 'app' })
    }
    expect(await askAsGuest(true)).toMatchObject({ role: 'guest', database: 'app' })
    await expect(askAsGuest(false)).rejects.toThrow(/password/)
  })

  it('keeps what the URL tells the client', async () => {
    const as = `postgresql://postgres:p@localhost:${port}/app?schema=public&connection_limit=3&sslmode=prefer`
    await using session = await temporary({ strategy, as })
    expect(session.url()).toBe(
      `postgresql://postgres:p@127.0.0.1:${port}/app?sslmode=disable&schema=public&connection_limit=3`,
    )
  })

  it.each([
    ['mysql://root@localhost/app', /write it as postgresql:\/\//],
    ['postgresql://u:secret@db:5432/app', /names the host "db".*write localhost/],
    ['postgresql://u:secret@localhost:x/app', /no port .*"x"/],
    ['postgresql://u:secret@localhost:99999/app', /no port/],
    ['postgresql://u:secret@a:1,b:2/app', /postgresql:\/\/|no port|host/],
    ['postgresql://u:secret%@localhost/app', /password .*write %25/],
    ['postgresql://u:secret%00@localhost/app', /password/],
    ['postgresql://u:secret@localhost/app?sslmode=always', /sslmode .*"always"/],
  ])('is refused for %s, without the password', async (as, message) => {
    const refused = temporary({ strategy, as })
    await expect(refused).rejects.toMatchObject({ code: 'ERR_CLUSTER_INVALID_URL' })
    await expect(refused).rejects.toThrow(message)
    await expect(refused).rejects.not.toThrow(/secret/)
  })
})

describe('a cluster that stays', () => {
  const cluster = () => new Cluster(home.file('data'), { strategy })

  it('is made as the URL says, and found as that again', async () => {
    const as = `postgresql://postgres:first@localhost:${port}/app`
    await cluster().start({ as })
    try {
      expect(await ask(as)).toEqual(postgres)
      // Another password counts from now on.
      const changed = as.replace('first', 'second')
      await using session = await cluster().run({ as: changed })
      expect(await ask(session.url())).toEqual(postgres)
      await expect(ask(as)).rejects.toMatchObject({ code: '28P01' })
    } finally {
      await cluster().stop({ force: true })
    }
    await using session = await cluster().run({ tcp: true, database: 'app' })
    expect(session.address).toMatchObject({ user: 'postgres', password: 'second' })
    expect(await ask(session.url())).toEqual(postgres)
  })

  it('gets the port that is asked for, by a restart if nobody else uses it', async () => {
    await cluster().start({ tcp: true })
    try {
      await using session = await cluster().run({ tcp: port })
      expect(session.address.port).toBe(port)
      expect(await ask(session.url())).toMatchObject({ bootstrap: true })
      const [another = 0] = await freePorts(1)
      await expect(cluster().run({ tcp: another })).rejects.toMatchObject({
        code: 'ERR_CLUSTER_IN_USE',
      })
    } finally {
      await cluster().stop({ force: true })
    }
  })

  it('of another superuser is refused with a cure, and left as it was', async () => {
    await (await cluster().run({ user: 'one' })).leave()
    await expect(cluster().run({ user: 'two' })).rejects.toMatchObject({
      code: 'ERR_CLUSTER_OTHER_SUPERUSER',
      message: expect.stringMatching(/is "one", not "two".*a temporary cluster, or destroy this/),
    })
    expect(await cluster().status()).toMatchObject({ state: 'stopped' })
    await using session = await cluster().run()
    expect(session.address.user).toBe('one')
  })
})

describe('a port that is taken', () => {
  it.each([...loopbacks, '0.0.0.0'])('at %s is said with who has it', async (host) => {
    using _ = await listening(host)
    const taken = temporary({ strategy, tcp: port })
    await expect(taken).rejects.toMatchObject({ code: 'ERR_CLUSTER_PORT_TAKEN' })
    await expect(taken).rejects.toThrow(
      new RegExp(
        `^the port ${port} is taken by pid ${process.pid} \\(.*; stop that, or choose another`,
      ),
    )
  })

  it('by another server is said with its data directory', async () => {
    const options: TemporaryOptions = { strategy, tcp: port }
    await using session = await temporary(options)
    await expect(temporary(options)).rejects.toThrow(
      `the PostgreSQL server on '${session.dataDir}' (pid`,
    )
  })
})

async function listening(host: string): Promise<Disposable> {
  const server = createServer().listen(port, host)
  await once(server, 'listening')
  return { [Symbol.dispose]: () => void server.close() }
}
