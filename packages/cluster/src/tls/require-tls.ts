import type { DataDirectory, ServerUser } from '@howdah/data-directory'
import { findPostmaster, runServerProgram } from '@howdah/data-directory'
import type { Runtime } from '@howdah/runtime'
import { noTls } from '../errors.ts'
import { requireForge } from './make-certificate.ts'
import { lasts } from './provide-certificate.ts'
import { hasOurCertificate } from './trusting.ts'

/**
 * Throws `ERR_CLUSTER_NO_TLS` if a PostgreSQL was built without OpenSSL, or if no library can make certificates. It is called
 * before anything is made.
 *
 * PostgreSQL itself is asked whether it accepts the setting, which a build without OpenSSL refuses. This needs no cluster,
 * only a directory.
 */
export async function requireTls(
  directory: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
  signal?: AbortSignal,
): Promise<void> {
  if (!lasts(directory)) await requireForge(directory)
  // A server that runs with howdah's certificate has TLS. Each further user would start a program to ask for it.
  if ((await findPostmaster(directory)) !== null && (await hasOurCertificate(directory))) return
  const { succeeded, stderr } = await runServerProgram(runtime, 'postgres', {
    user,
    path: runtime.bindir,
    args: (path) => ['-C', 'ssl', '-D', path, '-c', 'config_file=/dev/null', '-c', 'ssl=on'],
    signal,
  })
  if (succeeded) return
  const { bindir, version } = runtime
  const why = `PostgreSQL ${version.toString()} in ${bindir} has none: ${stderr.trim()}; use another one, by the option runtime`
  throw noTls(directory.path, why)
}
