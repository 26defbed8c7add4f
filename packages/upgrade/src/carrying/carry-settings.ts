import { postgres, type Server } from '@howdah/cluster'
import {
  type DataDirectory,
  readIfThere,
  runServerProgram,
  type ServerUser,
  writeOwnFile,
} from '@howdah/data-directory'
import type { Runtime } from '@howdah/runtime'
import { asking } from '../source.ts'

/** A setting of the old cluster's configuration files. */
interface Entry {
  readonly name: string
  readonly setting: string
  /** Whether it is in `postgresql.auto.conf`, where `ALTER SYSTEM` and "howdah config" write. */
  readonly isAuto: boolean
}

/** Settings by which the new cluster would act in the place of the old one: it has another history, and no standbys. */
const ofTheOld =
  /^(?:archive_mode|archive_command|archive_library|restore_command|archive_cleanup_command|recovery_\w+|primary_\w+|promote_trigger_file|synchronous_standby_names)$/

/** Settings that name files of the configuration, which lie in the new data directory. */
const ofFiles = /^(?:config_file|hba_file|ident_file)$/

/**
 * Writes the settings of the old cluster's configuration files into those of the new one, if the new PostgreSQL has them and
 * accepts their values. Included files become a part of `postgresql.conf`. `tell` gets what is left out.
 *
 * Gives the settings that were kept.
 */
export async function carrySettings(
  source: Server,
  directory: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
  tell: (notice: string) => void,
): Promise<ReadonlyMap<string, string>> {
  const conf = directory.file('postgresql.conf')
  const text = readIfThere(conf) ?? ''
  const defaults = settingsIn(text)
  const kept: Entry[] = []
  for (const entry of await entriesOf(source)) {
    const { name, setting, isAuto } = entry
    if (ofTheOld.test(name)) {
      if (setting !== '' && setting !== 'off') tell(`the setting ${name} (${setting}) was left out`)
    } else if (ofFiles.test(name)) tell(`the setting ${name} (${setting}) was left out`)
    else if (isAuto || defaults.get(name) !== setting) {
      const refusal = await refusalOf(entry, directory, runtime, user)
      if (refusal === null) kept.push(entry)
      else tell(`the setting ${name} (${setting}) was left out: ${refusal}`)
    }
  }
  const ofConf = kept.filter(({ isAuto }) => !isAuto).map(lineOf)
  const ofAuto = kept.filter(({ isAuto }) => isAuto).map(lineOf)
  const { major } = source.runtime.version
  if (ofConf.length > 0) {
    const head = `\n# From the configuration of the cluster of PostgreSQL ${major}\n`
    await writeOwnFile(conf, `${text}${head}${ofConf.join('')}`, user)
  }
  if (ofAuto.length > 0) {
    const auto = directory.file('postgresql.auto.conf')
    await writeOwnFile(auto, `${readIfThere(auto) ?? ''}${ofAuto.join('')}`, user)
  }
  return new Map(kept.map(({ name, setting }) => [name, setting]))
}

async function entriesOf(source: Server): Promise<Entry[]> {
  return await asking(source, postgres, async (client) => {
    const { rows } = await client.query<Entry>(
      // If several lines set a setting, the last one counts.
      `SELECT DISTINCT ON (lower(name)) lower(name) AS name, coalesce(setting, '') AS setting,
              sourcefile LIKE '%/postgresql.auto.conf' AS "isAuto"
         FROM pg_catalog.pg_file_settings WHERE name IS NOT NULL ORDER BY lower(name), seqno DESC`,
    )
    return rows
  })
}

/** Why the new PostgreSQL does not accept a setting; `null` if it does. */
async function refusalOf(
  { name, setting }: Entry,
  directory: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
): Promise<string | null> {
  const { succeeded, stderr } = await runServerProgram(runtime, 'postgres', {
    user,
    path: directory.path,
    args: (path) => ['-C', name, '-D', path, '-c', `${name}=${setting}`],
  })
  if (succeeded) return null
  const [, words = stderr.trim()] = /(?:FATAL|ERROR|LOG): +(.*)/.exec(stderr) ?? []
  return words
}

/** The settings that the text of a configuration file sets. */
function settingsIn(text: string): ReadonlyMap<string, string> {
  const lines = text.matchAll(/^\s*(\w+)\s*=\s*(?:'((?:[^']|'')*)'|([^\s#]+))/gm)
  return new Map(
    [...lines].map(([, name = '', quoted, plain = '']) => [name.toLowerCase(), quoted ?? plain]),
  )
}

/** See "Parameter Interaction via the Configuration File" in PostgreSQL's manual, and its `guc-file.l` for backslashes. */
function lineOf({ name, setting }: Entry): string {
  const value = setting
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "''")
    .replaceAll('\n', String.raw`\n`)
  return `${name} = '${value}'\n`
}
