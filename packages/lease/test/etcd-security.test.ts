import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { freePorts, temporaryDirectory, until } from '@howdah/fixtures'
import { hold } from '@howdah/lease'
import { createEtcdLeaser, type EtcdLeaserOptions, type EtcdTls } from '@howdah/lease/etcd'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refusalOf } from './describe-leaser.ts'
import { makeCertificates, whyNoOpenssl } from './etcd-authority.ts'
import { whyNoEtcd } from './etcd-cluster.ts'

const why = whyNoEtcd ?? whyNoOpenssl
const directory = temporaryDirectory()
const root = { name: 'root', password: 'of all' }
const worker = { name: 'worker', password: 'p:@ss/word' }
let server: ChildProcess | undefined
let tls: EtcdTls
let named: EtcdTls
let endpoint: string

function leaser(options: Partial<EtcdLeaserOptions> = {}) {
  const endpoints = [endpoint]
  return createEtcdLeaser({ endpoints, key: 'jobs/nightly', tls, user: worker, ...options })
}

/** Asks etcd for what no lease needs, such as changing its users. */
async function administer(
  path: string,
  body: object,
  token = '',
): Promise<Record<string, unknown>> {
  const { request } = await import('node:https')
  return await new Promise((resolve, reject) => {
    const headers = token === '' ? {} : { authorization: token }
    const options = { method: 'POST', headers, ca: tls.ca as string, cert: tls.cert, key: tls.key }
    const sent = request(`${endpoint}${path}`, options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.once('end', () => resolve(JSON.parse(text) as Record<string, unknown>))
    })
    sent.once('error', reject).end(JSON.stringify(body))
  })
}

async function rootToken(): Promise<string> {
  return String((await administer('/v3/auth/authenticate', root))['token'])
}

describe.skipIf(why !== null)(
  `an etcd with users, and TLS on both sides${why ? `: ${why}` : ''}`,
  () => {
    beforeAll(async () => {
      ;({ client: tls, named } = makeCertificates(directory))
      const [port, peer] = await freePorts(2)
      endpoint = `https://127.0.0.1:${port}`
      const options = {
        'data-dir': directory.file('data'),
        'listen-client-urls': endpoint,
        'advertise-client-urls': endpoint,
        'listen-peer-urls': `http://127.0.0.1:${peer}`,
        'cert-file': directory.file('server'),
        'key-file': directory.file('server.key'),
        'trusted-ca-file': directory.file('ca'),
        'client-cert-auth': 'true',
        logger: 'zap',
        'log-outputs': '/dev/null',
      }
      const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
      server = spawn('etcd', words, { stdio: 'ignore' })
      const answers = async () => 'header' in (await administer('/v3/kv/range', { key: 'AA==' }))
      await until('etcd answers', async () => await answers().catch(() => false), 60_000)
      const key = Buffer.from('jobs/').toString('base64')
      const end = Buffer.from('jobs0').toString('base64')
      await administer('/v3/auth/user/add', root)
      await administer('/v3/auth/user/grant', { user: 'root', role: 'root' })
      await administer('/v3/auth/user/add', worker)
      await administer('/v3/auth/role/add', { name: 'jobs' })
      const perm = { permType: 'READWRITE', key, range_end: end }
      await administer('/v3/auth/role/grant', { name: 'jobs', perm })
      await administer('/v3/auth/user/grant', { user: worker.name, role: 'jobs' })
      await administer('/v3/auth/enable', {})
    })
    afterAll(async () => {
      if (server !== undefined && server.exitCode === null) {
        server.kill('SIGKILL')
        await once(server, 'exit')
      }
      directory[Symbol.dispose]()
    })

    test('gives the lease to a user who may, and takes it back', async () => {
      const it = leaser()
      const lease = await it.acquire()
      expect(await it.inspect()).toMatchObject({ held: true, generation: lease.generation })
      expect(await refusalOf(leaser().acquire())).toMatchObject({ code: 'ERR_LEASE_EXISTS' })
      await it.release(await it.renew(lease))
    })

    test('keeps the lease although what its user was given for the password has ended', async () => {
      const it = leaser({ key: 'jobs/kept' })
      await using held = await hold(it, { heartbeat: 100 })
      await administer('/v3/auth/user/changepw', worker, await rootToken())
      const before = held.deadline.monotonic
      await until('it is renewed', () => held.deadline.monotonic > before + 200, 10_000)
      expect(() => held.check()).not.toThrow()
    })

    test.each<[string, () => Partial<EtcdLeaserOptions>, RegExp]>([
      [
        'a wrong password',
        () => ({ user: { ...worker, password: 'wrong' } }),
        /invalid user ID or password/,
      ],
      ['no user', () => ({ user: undefined }), /user name is empty|permission denied/],
      ['a key that the user may not write', () => ({ key: 'other' }), /permission denied/],
      ['a certificate with a common name', () => ({ tls: named }), /answered 400: CommonName/],
    ])('refuses %s for good, and says why', async (_, options, reason) => {
      const refusal = await refusalOf(leaser(options()).acquire())
      expect(refusal).toMatchObject({ code: 'ERR_LEASE_STORE' })
      expect((refusal as Error).message).toMatch(reason)
      expect((refusal as Error).message).toMatch(/check .* the user, the password/)
    })

    test.each<[string, () => Partial<EtcdLeaserOptions>, RegExp]>([
      ['an authority that is not trusted', () => ({ tls: { ...tls, ca: [] } }), /certificate/],
      [
        'no client certificate',
        () => ({ tls: { ca: tls.ca as string } }),
        /certificate|socket|ECONNRESET|closed/,
      ],
      ['no TLS', () => ({ tls: undefined }), /certificate/],
    ])('is out of reach with %s, and the reason is said', async (_, options, reason) => {
      const refusal = await refusalOf(leaser(options()).acquire())
      expect(refusal).toMatchObject({ code: 'ERR_LEASE_UNAVAILABLE' })
      expect((refusal as Error).message).toMatch(
        /did not answer at https:\/\/.*: .+; see that it is up/,
      )
      expect((refusal as Error).message).toMatch(reason)
    })

    test('certificates need an endpoint with TLS', async () => {
      const endpoints = [endpoint.replace('https', 'http')]
      expect(() => leaser({ endpoints })).toThrow(
        expect.objectContaining({ code: 'ERR_LEASE_OPTION' }),
      )
    })
  },
)
