import { createPrivateKey, X509Certificate } from 'node:crypto'
import { basename } from 'node:path'
import {
  type DataDirectory,
  readIfThere,
  type ServerUser,
  writeOwnFile,
} from '@howdah/data-directory'
import { noTls } from '../errors.ts'
import { findForge, makeCertificate } from './make-certificate.ts'

/** A certificate that ends in less than so many ms is replaced. */
const least = 30 * 86_400_000

/**
 * Gives the settings for TLS. Makes sure that there is a certificate for localhost beside the cluster, and makes a new one if
 * there is none or it ends soon. The caller holds the change lock. Throws `ERR_CLUSTER_NO_TLS`.
 */
export async function provideCertificate(
  directory: DataDirectory,
  user: ServerUser | null,
): Promise<Readonly<Record<string, string>>> {
  const { authorityFile, certificateFile, keyFile } = directory
  if (!lasts(directory)) {
    const forge = await findForge()
    if (forge === null) throw noTls(directory.path, withoutForge)
    const made = await makeCertificate(forge)
    await writeOwnFile(keyFile, made.key, user)
    await writeOwnFile(authorityFile, made.authority, user)
    // The certificate is written last, because without it the other files are made again.
    await writeOwnFile(certificateFile, made.certificate, user)
  }
  const [certificate, key] = [basename(certificateFile), basename(keyFile)]
  return { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key }
}

/** The remedy if no library can make certificates. */
export const withoutForge =
  'nothing is installed here that makes certificates; install it with: npm install --save-dev node-forge'

/** Whether there is a complete certificate that does not end soon. The content of the files counts, not their times. */
export function lasts({ authorityFile, certificateFile, keyFile }: DataDirectory): boolean {
  const [authority, certificate, key] = [authorityFile, certificateFile, keyFile].map((file) =>
    readIfThere(file),
  )
  if (!authority || !certificate || !key) return false
  try {
    const server = new X509Certificate(certificate)
    const from = Date.parse(server.validFrom)
    const left = Date.parse(server.validTo) - Date.now()
    return (
      from <= Date.now() &&
      left > least &&
      server.verify(new X509Certificate(authority).publicKey) &&
      server.checkPrivateKey(createPrivateKey(key))
    )
  } catch {
    return false
  }
}
