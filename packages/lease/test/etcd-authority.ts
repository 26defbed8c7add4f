import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import type { TemporaryDirectory } from '@howdah/fixtures'

/** Why there are no certificates to test with; `null` if there are. */
export const whyNoOpenssl: string | null =
  spawnSync('openssl', ['version']).status === 0 ? null : 'openssl is not installed'

/** Makes a private authority in a directory, and certificates of it: for a server on the loopback, and for a client. */
export function makeCertificates(directory: TemporaryDirectory) {
  const openssl = (...words: string[]) =>
    execFileSync('openssl', words, { cwd: directory.path, stdio: ['ignore', 'ignore', 'pipe'] })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca',
    '-subj',
    '/CN=ca',
    '-days',
    '2',
  )
  for (const [name, subject] of [
    ['server', '/CN=server'],
    ['client', '/O=client'],
    ['named', '/CN=named'],
  ] as const) {
    const extensions = `subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n`
    writeFileSync(directory.file(`${name}.ext`), extensions)
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject)
    const signed = ['-CA', 'ca', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`]
    openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', name, '-days', '2')
  }
  const read = (name: string) => readFileSync(directory.file(name), 'utf8')
  const ca = read('ca')
  // etcd's gateway refuses a client certificate with a common name, as soon as there are users.
  return {
    client: { ca, cert: read('client'), key: read('client.key') },
    named: { ca, cert: read('named'), key: read('named.key') },
  }
}
