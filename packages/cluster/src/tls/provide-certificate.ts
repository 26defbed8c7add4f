import { createPrivateKey, X509Certificate } from 'node:crypto'
import { basename } from 'node:path'
import {
  type DataDirectory,
  readIfThere,
  type ServerUser,
  writeOwnFile,
} from '@howdah/data-directory'
import { makeCertificate, requireForge } from './make-certificate.ts'

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
    const made = await makeCertificate(await requireForge(directory))
    await writeOwnFile(keyFile, made.key, user)
    await writeOwnFile(authorityFile, made.authority, user)
    // The certificate is written last, because without it the other files are made again.
    await writeOwnFile(certificateFile, made.certificate, user)
  }
  const [certificate, key] = [basename(certificateFile), basename(keyFile)]
  return { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key }
}

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
