import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { EtcdLeaserOptions } from '@howdah/lease/etcd'
import { misused } from '../../errors.ts'
import type { Io } from '../../io.ts'
import { withoutPassword } from './without-password.ts'

/** How to reach an etcd, and the prefix of its keys. */
type EtcdPlace = Pick<EtcdLeaserOptions, 'endpoints' | 'user' | 'tls'> & { readonly prefix: string }

/**
 * Reads `etcd://[user[:password]@]host:port,host:port/prefix`, or `etcds://` for TLS.
 *
 * Missing parts come from the variables of etcdctl(1): `ETCDCTL_USER` (`name` or `name:password`),
 * `ETCDCTL_PASSWORD`, and for TLS the files in `ETCDCTL_CACERT`, `ETCDCTL_CERT` and `ETCDCTL_KEY`. Throws `ERR_CLI_USAGE`.
 */
export function etcdPlace(url: string, { env, cwd }: Pick<Io, 'env' | 'cwd'>): EtcdPlace {
  const match = /^etcd(s?):\/\/(?:([^/?#@\s]*)@)?([^/?#@\s]+)(?:\/([^?#\s]*))?$/i.exec(url)
  if (match === null) {
    throw misused(
      `lease --in ${withoutPassword(url)}: write it as etcd://user:password@host:port,host:port/prefix, or etcds:// for TLS`,
    )
  }
  const [, secure = '', credentials, hosts = '', path = ''] = match
  const scheme = secure === '' ? 'http' : 'https'
  const user = userOf(credentials, env)
  return {
    endpoints: hosts.split(',').map((member) => `${scheme}://${member}`),
    prefix: path.replaceAll(/^\/+|\/+$/g, ''),
    user,
    tls: secure === '' ? undefined : tlsOf(env, cwd),
  }
}

function userOf(credentials: string | undefined, env: NodeJS.ProcessEnv): EtcdPlace['user'] {
  const given = credentials?.split(':').map(decode)
  const [name = '', ...rest] = given ?? (env['ETCDCTL_USER'] ?? '').split(':')
  if (name === '') return undefined
  const password = rest.length > 0 ? rest.join(':') : env['ETCDCTL_PASSWORD']
  if (password !== undefined) return { name, password }
  throw misused(
    `lease: the user ${name} of etcd has no password; write user:password, or set ETCDCTL_PASSWORD`,
  )
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw misused('lease --in: a % in a user or password of etcd is written as %25')
  }
}

function tlsOf(env: NodeJS.ProcessEnv, cwd: string): NonNullable<EtcdPlace['tls']> {
  const read = (variable: string): Buffer | undefined => {
    const file = env[variable]
    if (file === undefined || file === '') return undefined
    try {
      return readFileSync(resolve(cwd, file))
    } catch (error) {
      throw misused(`lease: ${variable} cannot be read: ${(error as Error).message}`)
    }
  }
  return {
    ca: read('ETCDCTL_CACERT'),
    cert: read('ETCDCTL_CERT'),
    key: read('ETCDCTL_KEY'),
  }
}
