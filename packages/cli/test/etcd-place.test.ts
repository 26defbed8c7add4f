import { writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { etcdPlace } from '../src/opening/lease/etcd-place.ts'

const at = (url: string, env: NodeJS.ProcessEnv = {}) => etcdPlace(url, { env, cwd: '/' })

test.each([
  ['etcd://a:1', {}, { endpoints: ['http://a:1'], prefix: '' }],
  ['etcd://a:1,b:2/x/y/', {}, { endpoints: ['http://a:1', 'http://b:2'], prefix: 'x/y' }],
  ['etcd://me:p%40%3a:w@a:1/x', {}, { user: { name: 'me', password: 'p@::w' } }],
  ['etcd://me@a:1', { ETCDCTL_PASSWORD: 'secret' }, { user: { name: 'me', password: 'secret' } }],
  ['etcd://a:1', { ETCDCTL_USER: 'me:se:cret' }, { user: { name: 'me', password: 'se:cret' } }],
  [
    'etcd://a:1',
    { ETCDCTL_USER: 'me', ETCDCTL_PASSWORD: 'secret' },
    { user: { name: 'me', password: 'secret' } },
  ],
  ['etcd://you:x@a:1', { ETCDCTL_USER: 'me:secret' }, { user: { name: 'you', password: 'x' } }],
  ['etcds://a:1,b:2', {}, { endpoints: ['https://a:1', 'https://b:2'], tls: {} }],
])('%s with %j', (url, env, expected) => {
  expect(at(url, env)).toMatchObject(expected)
})

test('the certificates are those that etcdctl is told', () => {
  using directory = temporaryDirectory()
  for (const name of ['ca', 'cert', 'key']) writeFileSync(directory.file(name), `the ${name}`)
  const env = { ETCDCTL_CACERT: 'ca', ETCDCTL_CERT: directory.file('cert'), ETCDCTL_KEY: 'key' }
  const { tls } = etcdPlace('etcds://a:1', { env, cwd: directory.path })
  const text = (bytes: unknown) => String(bytes)
  expect([tls?.ca, tls?.cert, tls?.key].map(text)).toEqual(['the ca', 'the cert', 'the key'])
  expect(etcdPlace('etcd://a:1', { env, cwd: directory.path }).tls).toBeUndefined()
})

test.each([
  ['etcd://', {}, /write it as etcd:\/\//],
  ['etcd://me:hidden@', {}, /^(?!.*hidden).*me:…@.*write it as/],
  ['etcd://me@a:1', {}, /the user me of etcd has no password/],
  ['etcd://me:%zz@a:1', {}, /written as %25/],
  ['etcds://a:1', { ETCDCTL_CACERT: '/none' }, /ETCDCTL_CACERT cannot be read: ENOENT/],
])('%s with %j is refused', (url, env, why) => {
  expect(() => at(url, env)).toThrow(why)
})
