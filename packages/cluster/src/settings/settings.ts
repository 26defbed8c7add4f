import type pg from 'pg'
import {
  checkKeptSetting,
  checkSettingName,
  DataDirectory,
  invalidSetting,
  type Setting,
  settingOf,
  type SettingRow,
  type SettingValue,
  valuesFor,
} from '@howdah/data-directory'
import { Durability } from './durability.ts'
import { settingRefused, unknownSetting } from '../errors.ts'
import { type PatienceOptions, reloadConfiguration } from '../running/reload.ts'
import type { Outcome } from '@howdah/coordinate'
import type { Administered } from './administered.ts'

/** The result of a change to the settings. */
export interface SettingChange {
  /** Whether `postgresql.auto.conf` has changed. */
  readonly outcome: Outcome
  /** Whether the change takes effect only after a restart. */
  readonly needsRestart: boolean
  /** The source that overrides the change: `command line`, `database`, `user`, …; `null` if none does. */
  readonly overriddenBy: string | null
}

/**
 * The settings of a running server.
 *
 * Changes are kept in `postgresql.auto.conf` by `ALTER SYSTEM`, for this and all later starts, and the server is told to
 * apply them. The promise resolves when the server has applied them, unless that needs a restart.
 *
 * @example
 * await db.settings.set('work_mem', '64MB')
 * const { bytes } = await db.settings.get('shared_buffers') // kind: 'memory'
 */
export class Settings {
  readonly #server: Administered
  readonly #durability: Durability

  /** @internal From `Server.settings`. */
  constructor(server: Administered) {
    this.#server = server
    this.#durability = new Durability(new DataDirectory(server.dataDir), server)
  }

  /** All settings by name, or those with names that contain the pattern; `*` matches any letters. */
  async list(pattern = ''): Promise<Setting[]> {
    const matches = matcher(pattern)
    return await this.#connected(async (client) => {
      const [known, others] = [await knownRows(client), await otherRows(client)]
      return [...known, ...others].map(settingOf).filter(({ name }) => matches.test(name))
    })
  }

  /** One setting, typed. Throws `ERR_CLUSTER_UNKNOWN_SETTING`. */
  async get(name: string): Promise<Setting> {
    checkSettingName(this.#server.dataDir, name)
    const found = await this.#connected(async (client) => await findRow(client, name))
    if (found === null) throw unknownSetting(this.#server.dataDir, name)
    return settingOf(found)
  }

  /**
   * Changes a setting for this and all later starts.
   *
   * Rejects with `ERR_CLUSTER_INVALID_SETTING` if howdah itself sets the setting at every start, or if the name or the value
   * is invalid; with `ERR_CLUSTER_UNKNOWN_SETTING`; with `ERR_CLUSTER_SETTING_REFUSED` and the server's message; and with
   * `ERR_CLUSTER_RELOAD_FAILED`.
   */
  async set(
    name: string,
    value: SettingValue,
    options: PatienceOptions = {},
  ): Promise<SettingChange> {
    const { dataDir } = this.#server
    checkKeptSetting(dataDir, name)
    const values = valuesFor(dataDir, name, value)
    return await this.#change(name, options, async (client) => {
      if (values === null) {
        await refuseIfSetElsewhere(dataDir, client, name)
        await alter(dataDir, client, name, null)
      } else {
        await alter(dataDir, client, name, values)
      }
    })
  }

  /** Takes back a change: `postgresql.conf`, or else PostgreSQL's default, decides again. Throws as {@link set} does. */
  async reset(name: string, options: PatienceOptions = {}): Promise<SettingChange> {
    const { dataDir } = this.#server
    checkSettingName(dataDir, name)
    return await this.#change(name, options, async (client) => {
      await alter(dataDir, client, name, null)
    })
  }

  /** Takes back all changes by `ALTER SYSTEM`. */
  async resetAll(options: PatienceOptions = {}): Promise<SettingChange> {
    return await this.#change(null, options, async (client) => {
      await client.query('ALTER SYSTEM RESET ALL')
    })
  }

  /**
   * Makes the server read its configuration files again, after they were edited by hand, and waits until it has.
   *
   * Throws `ERR_CLUSTER_RELOAD_FAILED`.
   */
  async reload(options: PatienceOptions = {}): Promise<void> {
    await this.#connected(async (client) => {
      await this.#durability.around(client, options, async () => {
        await reloadConfiguration(this.#server.dataDir, client, options)
      })
    })
  }

  /** Changes one setting, or all if `name` is `null`, and gives the result. */
  async #change(
    name: string | null,
    options: PatienceOptions,
    action: (client: pg.Client) => Promise<void>,
  ): Promise<SettingChange> {
    options.signal?.throwIfAborted()
    return await this.#connected(async (client) => {
      const before = await keptValues(client, name)
      await this.#durability.around(client, options, async () => {
        await action(client)
        await reloadConfiguration(this.#server.dataDir, client, options)
      })
      const outcome = (await keptValues(client, name)) === before ? 'unmodified' : 'modified'
      if (name === null) {
        const rows = await knownRows(client)
        const needsRestart = rows.some((row) => row.pending_restart)
        return { outcome, needsRestart, overriddenBy: null }
      }
      const row = await findRow(client, name)
      const { pending_restart: needsRestart = false, source = 'default' } = row ?? {}
      return { outcome, needsRestart, overriddenBy: yielding.has(source) ? null : source }
    })
  }

  async #connected<T>(action: (client: pg.Client) => Promise<T>): Promise<T> {
    return await this.#server.withAdministrator(action)
  }
}

/** The sources that a line in `postgresql.auto.conf` overrides, and such a line itself. */
const yielding: ReadonlySet<string> = new Set([
  'default',
  'environment variable',
  'configuration file',
  'unknown',
])

const columns = `name, setting, pg_catalog.current_setting(name) AS text, unit, vartype, enumvals, context, source,
  sourcefile, sourceline, category, short_desc, boot_val, min_val, max_val, pending_restart`

async function knownRows(client: pg.Client): Promise<SettingRow[]> {
  const { rows } = await client.query<SettingRow>(
    `SELECT ${columns} FROM pg_catalog.pg_settings ORDER BY lower(name)`,
  )
  return rows
}

/** The settings that no program has declared, such as an application's own. They are only in the files. */
async function otherRows(client: pg.Client, name: string | null = null): Promise<SettingRow[]> {
  const { rows } = await client.query<SettingRow>(
    `SELECT DISTINCT ON (lower(name)) name, value AS setting, value AS text, sourcefile, sourceline, ${undeclared}
       FROM (SELECT *, pg_catalog.current_setting(name, true) AS value FROM pg_catalog.pg_file_settings) AS files
      WHERE value IS NOT NULL AND ($1::text IS NULL OR lower(name) = lower($1))
        AND lower(name) NOT IN (SELECT lower(name) FROM pg_catalog.pg_settings)
      ORDER BY lower(name), seqno DESC`,
    [name],
  )
  return rows
}

const undeclared = `NULL AS unit, 'string' AS vartype, NULL AS enumvals, 'user' AS context,
  'configuration file' AS source, 'Customized Options' AS category, '' AS short_desc,
  NULL AS boot_val, NULL AS min_val, NULL AS max_val, false AS pending_restart`

async function findRow(client: pg.Client, name: string): Promise<SettingRow | null> {
  const { rows } = await client.query<SettingRow>(
    `SELECT ${columns} FROM pg_catalog.pg_settings WHERE lower(name) = lower($1)`,
    [name],
  )
  const found = rows[0] ?? (await otherRows(client, name))[0]
  if (found !== undefined) return found
  // The setting is in no file: it comes from the command line, or is kept with a database or a role.
  const { rows: odd } = await client.query<SettingRow>(
    `SELECT $1 AS name, value AS setting, value AS text, NULL AS sourcefile, NULL AS sourceline,
            ${undeclared.replace('configuration file', 'unknown')}
       FROM pg_catalog.current_setting($1, true) AS value WHERE value IS NOT NULL`,
    [name],
  )
  return odd[0] ?? null
}

/** The content of `postgresql.auto.conf` about one setting or all, as a text that can be compared. */
async function keptValues(client: pg.Client, name: string | null): Promise<string> {
  const { rows } = await client.query<{ kept: string }>(
    `SELECT COALESCE(json_agg(json_build_array(lower(name), setting) ORDER BY seqno)::text, '') AS kept
       FROM pg_catalog.pg_file_settings
      WHERE sourcefile LIKE '%/postgresql.auto.conf' AND ($1::text IS NULL OR lower(name) = lower($1))`,
    [name],
  )
  return rows[0]?.kept ?? ''
}

/** Runs `ALTER SYSTEM` with quoted parts. Without values it resets. */
async function alter(
  dataDir: string,
  client: pg.Client,
  name: string,
  values: readonly string[] | null,
): Promise<void> {
  const target = name
    .split('.')
    .map((part) => client.escapeIdentifier(part))
    .join('.')
  const statement =
    values === null
      ? `ALTER SYSTEM RESET ${target}`
      : `ALTER SYSTEM SET ${target} TO ${values.map((value) => client.escapeLiteral(value)).join(', ')}`
  try {
    try {
      await client.query(statement)
    } catch (error) {
      // Before 17 it does not know an application's own settings, or those of an extension that is not loaded, until the
      // session has set them.
      if ((error as pg.DatabaseError).code !== undefinedObject || !name.includes('.')) throw error
      await client.query('SELECT pg_catalog.set_config($1, $2, false)', [name, values?.[0] ?? ''])
      await client.query(statement)
    }
  } catch (error) {
    throw explain(dataDir, name, error)
  }
}

const undefinedObject = '42704'

function explain(dataDir: string, name: string, error: unknown): unknown {
  const { code = '', message, hint } = error as pg.DatabaseError
  // The error does not come from the server, or the server has ended, or the connection is lost.
  if (!/^[\dA-Z]{5}$/.test(code) || /^(08|57|XX)/.test(code)) return error
  if (code === undefinedObject) return unknownSetting(dataDir, name, { cause: error })
  const cure = remedies.get(code)
  const why = [message, hint, cure].filter((text) => text !== undefined && text !== '')
  return settingRefused(dataDir, name, why.join('; '), { cause: error })
}

/** The remedies by SQLSTATE, for errors to which the server may give no hint. */
const remedies: ReadonlyMap<string, string> = new Map([
  ['22023', 'give it a value that it takes'],
  [
    '55P02',
    'it is as PostgreSQL was built, or as the cluster was made, or belongs into postgresql.conf',
  ],
  ['42501', 'connect as a superuser'],
  ['42602', 'choose another name'],
])

/**
 * Throws if a configuration file sets a list of libraries that should become empty, because it is empty only if no file sets
 * it.
 */
async function refuseIfSetElsewhere(
  dataDir: string,
  client: pg.Client,
  name: string,
): Promise<void> {
  const { rows } = await client.query<{ file: string; line: number }>(
    `SELECT sourcefile AS file, sourceline AS line FROM pg_catalog.pg_file_settings
      WHERE lower(name) = lower($1) AND setting <> '' AND sourcefile NOT LIKE '%/postgresql.auto.conf'`,
    [name],
  )
  const place = rows[0]
  if (place === undefined) return
  const why = `it cannot be made empty while ${place.file}:${place.line} sets it; remove it there`
  throw invalidSetting(dataDir, name, why)
}

function matcher(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[^\w]/g, String.raw`\$&`))
  return new RegExp(parts.length === 1 ? (parts[0] ?? '') : `^${parts.join('.*')}$`, 'i')
}
