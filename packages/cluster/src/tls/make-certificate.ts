import { generateKeyPair } from 'node:crypto'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { DataDirectory } from '@howdah/data-directory'
import type Forge from 'node-forge'
import { noTls } from '../errors.ts'

/** A server's certificate, its key, and the certificate of the authority that has signed it, in PEM. */
export interface ServerCertificate {
  readonly certificate: string
  readonly key: string
  readonly authority: string
}

/** How long the certificate is valid, in ms. Some programs refuse certificates that are valid for more than 398 days. */
const lifetime = 397 * 86_400_000

/** How long ago the certificate begins, in ms, because the clock of a client may be behind. */
const head = 86_400_000

/**
 * Makes a certificate for a server on localhost, signed by an authority that is made for it. The authority's key is thrown
 * away, so trusting the authority means trusting only this certificate.
 */
export async function makeCertificate(forge: typeof Forge): Promise<ServerCertificate> {
  const [root, server] = await Promise.all([makeKeys(), makeKeys()])
  const issuer = [{ name: 'commonName', value: 'howdah, for this server alone' }]
  const issue = (publicKey: string, name: string, extensions: object[]) => {
    const made = forge.pki.createCertificate()
    made.publicKey = forge.pki.publicKeyFromPem(publicKey)
    // A positive, random number, because clients that keep certificates distinguish them by it.
    made.serialNumber = `01${forge.util.bytesToHex(forge.random.getBytesSync(15))}`
    made.validity.notBefore = new Date(Date.now() - head)
    made.validity.notAfter = new Date(Date.now() + lifetime - head)
    made.setSubject(name === '' ? issuer : [{ name: 'commonName', value: name }])
    made.setIssuer(issuer)
    made.setExtensions([...extensions, { name: 'subjectKeyIdentifier' }])
    made.sign(forge.pki.privateKeyFromPem(root.privateKey), forge.md.sha256.create())
    return forge.pki.certificateToPem(made)
  }
  return {
    authority: issue(root.publicKey, '', [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ]),
    certificate: issue(server.publicKey, 'localhost', [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [localhost, { type: 7, ip: '127.0.0.1' }, ip6] },
    ]),
    key: server.privateKey,
  }
}

/** The types are those of "GeneralName", section 4.2.1.6 of RFC 5280. */
const localhost = { type: 2, value: 'localhost' }
const ip6 = { type: 7, ip: '::1' }

/** RSA keys, because the library signs with RSA. */
async function makeKeys(): Promise<{ publicKey: string; privateKey: string }> {
  return await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
}

/**
 * The library that makes certificates, from the caller's installation or from the working directory. Throws
 * `ERR_CLUSTER_NO_TLS` if there is none.
 */
export async function requireForge(directory: DataDirectory): Promise<typeof Forge> {
  const forge = await findForge()
  if (forge !== null) return forge
  const why =
    'nothing is installed here that makes certificates; install it with: npm install --save-dev node-forge'
  throw noTls(directory.path, why)
}

async function findForge(): Promise<typeof Forge | null> {
  try {
    return (await import('node-forge')).default
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  try {
    return createRequire(join(process.cwd(), 'package.json'))('node-forge') as typeof Forge
  } catch (error) {
    if (!isMissing(error)) throw error
    return null
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
}
