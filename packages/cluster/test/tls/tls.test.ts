import { X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { freePorts, temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { newest, somePostgres } from '@howdah/postgres-fixtures'
import { Client, type ClientConfig } from 'pg'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Cluster, type Session, temporary } from '../../src/index.ts'

const { strategy } = newest

let home: TemporaryDirectory
const trusted = process.env['NODE_EXTRA_CA_CERTS']

beforeEach(() => {
  home = temporaryDirectory()
  process.env['HOWDAH_TEMPORARY_DIR'] = home.path
})

afterEach(() => {
  vi.useRealTimers()
  if (trusted !== undefined) process.env['NODE_EXTRA_CA_CERTS'] = trusted
  delete process.env['HOWDAH_TEMPORARY_DIR']
  home[Symbol.dispose]()
})

/** Whether a client of one's own is encrypted. */
async function isEncrypted(config: string | ClientConfig): Promise<boolean> {
  const client = new Client(config)
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ ssl: boolean }>(
      'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    )
    return rows[0]?.ssl === true
  } finally {
    await client.end()
  }
}

/** The same, by no URL, and with other certificates to trust. */
async function isEncryptedTo({ address }: Session, ssl: ClientConfig['ssl']): Promise<boolean> {
  const { host, port, user, password } = address
  return await isEncrypted({
    host,
    port,
    user,
    password: password ?? '',
    database: 'postgres',
    ssl,
  })
}

function certificateOf({ dataDir }: Cluster | Session): X509Certificate {
  return new X509Certificate(readFileSync(`${dataDir}/howdah.crt`))
}

describe('a server with TLS', () => {
  it.each(somePostgres)(
    '$name is verified by every client that connects by its URL',
    async (subject) => {
      await using session = await temporary({ ...subject, tls: true, database: 'app' })
      expect(session.url()).toContain('sslmode=verify-full&sslrootcert=')
      expect(await isEncrypted(session.url())).toBe(true)
      expect(await isEncrypted(session.clientOptions())).toBe(true)
    },
  )

  it('is verified by libpq, too, by the variables and by the URL', async (context) => {
    await using session = await temporary({ strategy, tls: true })
    const sql = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'
    for (const more of [[], [session.url()]]) {
      const args = ['-XAtc', sql, ...more]
      const { code, stdout } = await session.exec('psql', args, { reject: false })
      context.skip(code === 'ENOENT', 'there is no psql here')
      expect(stdout).toBe('t')
    }
  })

  it('is trusted by programs of Node that verify, and know nothing of it', async () => {
    await using session = await temporary({ strategy, tls: true })
    const { host, port, user, password } = session.address
    const config = { host, port, user, password, database: 'postgres', ssl: {} }
    const connects = `const c = new (require('pg').Client)(${JSON.stringify(config)}); c.connect().then(() => c.end())`
    const args = ['-e', connects]
    const options = { cwd: import.meta.dirname, reject: false } as const
    // Who has named others to trust keeps them.
    const others = { NODE_EXTRA_CA_CERTS: session.dataDir }
    expect(session.commandEnv(undefined, others)).toMatchObject(others)
    delete process.env['NODE_EXTRA_CA_CERTS']
    expect((await session.exec('node', args, options)).stderr).toBe('')
    const env = { NODE_EXTRA_CA_CERTS: '' }
    expect((await session.exec('node', args, { ...options, env })).stderr).toMatch(/certificate/)
  })

  it('has a certificate for itself alone', async () => {
    await using one = await temporary({ strategy, tls: true })
    await using other = await temporary({ strategy, tls: true })
    const ca = (session: Session) => ({ ca: readFileSync(session.fill('{authority}')) })
    expect(await isEncryptedTo(one, ca(one))).toBe(true)
    await expect(isEncryptedTo(one, ca(other))).rejects.toThrow(/certificate/)
    await expect(isEncryptedTo(one, true)).rejects.toThrow(/certificate/)
  })

  it('comes back after a crash at the same port, with the same certificate', async () => {
    await using session = await temporary({ strategy, tls: true })
    const url = session.url()
    const { fingerprint256 } = certificateOf(session)
    await session.crash()
    await expect(isEncrypted(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await session.restart()
    expect(session.url()).toBe(url)
    expect(await isEncrypted(url)).toBe(true)
    expect(certificateOf(session).fingerprint256).toBe(fingerprint256)
  })

  it('is what a URL with an sslmode that insists on it asks for', async () => {
    const [port] = await freePorts(1)
    const as = `postgresql://app:secret@localhost:${port}/app?schema=x`
    await using session = await temporary({ strategy, as: `${as}&sslmode=require` })
    expect(await isEncrypted(session.url())).toBe(true)
    expect(session.url()).toMatch(/^postgresql:\/\/app:secret@localhost.*&schema=x$/)
    expect(session.env()).toMatchObject({
      PGHOST: 'localhost',
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: `${session.dataDir}/howdah.ca.crt`,
    })
    expect(session.fill('{base}/x')).toBe(`postgresql://app:secret@localhost:${port}/x`)
  })
})

describe('a certificate', () => {
  it('is for localhost, lasts for a year, and its key is for the server alone', async () => {
    await using session = await temporary({ strategy, tls: true })
    const certificate = certificateOf(session)
    expect(certificate.checkHost('localhost')).toBe('localhost')
    for (const ip of ['127.0.0.1', '::1']) expect(certificate.checkIP(ip)).toBe(ip)
    expect(certificate.ca).toBe(false)
    const days = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000
    expect(days).toBeGreaterThan(365)
    expect(days).toBeLessThan(398)
    expect(statSync(`${session.dataDir}/howdah.key`).mode & 0o777).toBe(0o600)
    const authority = new X509Certificate(readFileSync(session.fill('{authority}')))
    expect(certificate.checkIssued(authority)).toBe(true)
    const keys = readdirSync(session.dataDir).filter((name) => name.endsWith('.key'))
    expect(keys).toEqual(['howdah.key'])
  })

  it('is kept for later starts, and made anew a month before its end', async () => {
    const cluster = new Cluster(home.file('data'), { strategy })
    const serial = async () => {
      await using session = await cluster.run({ tls: true })
      return certificateOf(session).serialNumber
    }
    const daysAgo = (days: number) => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - days * 86_400_000 })
    }
    daysAgo(380)
    const first = await serial()
    vi.useRealTimers()
    daysAgo(30)
    expect(await serial()).toBe(first)
    vi.useRealTimers()
    await using session = await cluster.run({ tls: true })
    expect(certificateOf(session).serialNumber).not.toBe(first)
    expect(await isEncrypted(session.url())).toBe(true)
  })
})

describe('a server that runs without TLS', () => {
  it('is restarted with it at the same port, if nobody else uses it', async () => {
    const cluster = new Cluster(home.file('data'), { strategy })
    const [port = 0] = await freePorts(1)
    await cluster.start({ tcp: port })
    try {
      await expect(cluster.server({ tls: true })).rejects.toMatchObject({
        code: 'ERR_CLUSTER_NO_TLS',
        message: expect.stringContaining('start it with TLS') as string,
      })
      await using session = await cluster.run({ tls: true })
      expect(session.address.port).toBe(port)
      expect(await isEncrypted(session.url())).toBe(true)
      // Who comes later finds it as it is.
      await using later = await cluster.run({ tls: true })
      expect(later.url()).toBe(session.url())
      expect((await cluster.server({ tls: true })).url()).toBe(session.url())
    } finally {
      await cluster.stop({ force: true })
    }
  })

  it('is left alone while others use it', async () => {
    const cluster = new Cluster(home.file('data'), { strategy })
    await using user = await cluster.run({ tcp: true })
    await expect(cluster.run({ tls: true })).rejects.toMatchObject({ code: 'ERR_CLUSTER_IN_USE' })
    expect(await user.databases()).toContain('postgres')
  })
})
