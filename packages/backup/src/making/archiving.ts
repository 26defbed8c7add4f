import { stat } from 'node:fs/promises'
import type pg from 'pg'
import {
  type DataDirectory,
  readIfThere,
  type ServerUser,
  writeOwnFile,
} from '@howdah/data-directory'
import { archiveCommand, archiveOf, archiveScript, archiveScriptFile } from './archive-script.ts'
import { foreignArchiving } from '../errors.ts'

/** How a running server must be changed to archive. */
export interface Archiving {
  /** The settings to change by `ALTER SYSTEM`. */
  readonly missing: Readonly<Record<string, string>>
  /** Whether they take effect only at a start. */
  readonly needsRestart: boolean
}

/**
 * Finds out what has to be changed so that the server archives into `wal`. Changes nothing.
 *
 * Throws `ERR_CLUSTER_FOREIGN_ARCHIVING` if another command or library archives, or howdah archives to another place.
 */
export async function inspectArchiving(
  client: pg.Client,
  directory: DataDirectory,
  wal: string,
): Promise<Archiving> {
  const { rows } = await client.query<{ name: string; setting: string }>(
    `SELECT name, setting FROM pg_catalog.pg_settings
      WHERE name IN ('archive_mode', 'archive_command', 'archive_library', 'wal_level')`,
  )
  const now = new Map(rows.map(({ name, setting }) => [name, setting]))
  const filed = await filedSettings(client)
  const isOn = now.get('archive_mode') !== 'off'
  // While archiving is off, the server shows "(disabled)" and not the command.
  const command = (isOn ? now.get('archive_command') : filed.get('archive_command')) ?? ''
  const library = now.get('archive_library') ?? ''
  await refuseForeign(directory, wal, command === '' ? library : command)
  const isMinimal = now.get('wal_level') === 'minimal'
  return {
    missing: {
      ...(isMinimal && { wal_level: 'replica' }),
      ...(!isOn && { archive_mode: 'on' }),
      ...((command === '' || filed.get('archive_command') !== archiveCommand) && {
        archive_command: archiveCommand,
      }),
    },
    needsRestart: isMinimal || !isOn,
  }
}

/**
 * Sets up archiving: writes the script, and changes the missing settings. Some take effect only when the server is
 * restarted.
 */
export async function setUpArchiving(
  client: pg.Client,
  directory: DataDirectory,
  user: ServerUser | null,
  wal: string,
  { missing }: Archiving,
): Promise<void> {
  const script = archiveScript(wal)
  const file = archiveScriptFile(directory)
  if (readIfThere(file) !== script) {
    await writeOwnFile(file, script, user)
  }
  for (const [name, value] of Object.entries(missing)) {
    await client.query(`ALTER SYSTEM SET ${name} = ${client.escapeLiteral(value)}`)
  }
  if (Object.keys(missing).length > 0) await client.query('SELECT pg_catalog.pg_reload_conf()')
}

/** The settings in the configuration files, whether they are in effect or not. */
async function filedSettings(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ name: string; setting: string }>(
    `SELECT name, setting FROM pg_catalog.pg_file_settings WHERE name LIKE 'archive%' ORDER BY seqno`,
  )
  return new Map(rows.map(({ name, setting }) => [name, setting]))
}

async function refuseForeign(directory: DataDirectory, wal: string, found: string): Promise<void> {
  if (found === '') return
  if (found !== archiveCommand) {
    throw foreignArchiving(
      directory.path,
      found,
      `${directory.path} archives its WAL by somebody else's doing (${found}), which was left alone; ` +
        'back it up by the same means, or reset archive_command and archive_library first',
    )
  }
  const script = readIfThere(archiveScriptFile(directory)) ?? ''
  const other = archiveOf(script)
  // An archive that was moved or removed is abandoned; the server still has the WAL that it should have got.
  if (other === null || other === wal || !(await isDirectory(other))) return
  throw foreignArchiving(
    directory.path,
    other,
    `${directory.path} archives its WAL into ${other} already; ` +
      'back it up there, or reset archive_command first',
  )
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
