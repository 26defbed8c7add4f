import { basename, join } from 'node:path'
import { type DataDirectory, howStarted } from '@howdah/data-directory'
import type { Address } from '../connecting/address.ts'
import { noTls } from '../errors.ts'

/** Whether the running server was started with howdah's certificate. */
export async function hasOurCertificate(directory: DataDirectory): Promise<boolean> {
  const started = await howStarted(directory).catch(() => null)
  return started?.settings['ssl_cert_file'] === basename(directory.certificateFile)
}

/**
 * Turns a TCP address into one with which clients insist on TLS and verify howdah's certificate. The host is localhost,
 * because before 15 libpq does not compare certificates with IP addresses. Throws `ERR_CLUSTER_NO_TLS`.
 */
export async function trusting(directory: DataDirectory, address: Address): Promise<Address> {
  if (!(await hasOurCertificate(directory))) {
    const why = 'the server that runs has no certificate of howdah; stop it, and start it with TLS'
    throw noTls(directory.path, why)
  }
  const authority = join(directory.path, basename(directory.authorityFile))
  return { ...address, host: 'localhost', authority }
}
