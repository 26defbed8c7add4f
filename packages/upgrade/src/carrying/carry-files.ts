import {
  type DataDirectory,
  readIfThere,
  type ServerUser,
  writeOwnFile,
} from '@howdah/data-directory'

/** Settings whose values are files, by default or usually in the data directory. */
const naming = [
  'ssl_cert_file',
  'ssl_key_file',
  'ssl_ca_file',
  'ssl_crl_file',
  'ssl_dh_params_file',
]

/** The largest file that is carried over, in bytes. */
const limit = 2 ** 24

/**
 * Copies the files of a cluster that belong to neither its data nor its settings: who may log in, howdah's password and
 * certificates, the certificates that its settings name, what the project's `howdah.json` has given it, and of which branch it is
 * a copy.
 */
export async function carryFiles(
  from: DataDirectory,
  to: DataDirectory,
  settings: ReadonlyMap<string, string>,
  user: ServerUser | null,
): Promise<void> {
  const named = naming
    .map((setting) => settings.get(setting) ?? '')
    .filter((file) => file !== '' && !file.includes('/'))
  const files = new Set([
    'pg_hba.conf',
    'pg_ident.conf',
    'howdah.password',
    'howdah.ca.crt',
    'howdah.crt',
    'howdah.key',
    'howdah.throwaway',
    'howdah-project.json',
    'howdah.branch',
    'server.crt',
    'server.key',
    'root.crt',
    ...named,
  ])
  for (const name of files) {
    const text = readIfThere(from.file(name), limit)
    if (text !== null) await writeOwnFile(to.file(name), text, user)
  }
}
