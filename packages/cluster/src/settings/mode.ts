import type pg from 'pg'
import type { Address } from '../connecting/address.ts'
import { rowsFrom } from '../without-driver/rows-from.ts'
import { type DataDirectory, runServerProgram, type ServerUser } from '@howdah/data-directory'
import { Durability } from './durability.ts'
import { notSafe } from '../errors.ts'
import { type PatienceOptions, reloadConfiguration } from '../running/reload.ts'
import type { Runtime } from '@howdah/runtime'
import type { Outcome } from '@howdah/coordinate'
import type { Administered } from './administered.ts'

/**
 * `safe` keeps committed data, whatever happens. `fast` does not wait for the disk, so a crash of the machine (not only of
 * the server) may lose committed data or the whole cluster.
 */
export type Mode = 'fast' | 'safe'

/**
 * The settings that `fast` turns off; see "Non-Durable Settings" in PostgreSQL's manual.
 *
 * `synchronous_commit` is not among them. With fsync off, a commit does not wait for the disk anyway, but logical replication
 * would see an asynchronous commit only after the next round of the WAL writer, up to 200 ms later.
 */
const offInFast = ['fsync', 'full_page_writes'] as const

/** A cluster is `safe` only if none of these is off. */
const carelessWhenOff = [...offInFast, 'synchronous_commit'] as const

/** The warning for a user who asks for `fast`. */
export function warningOf(dataDir: string): string {
  return (
    `fast mode: ${offInFast.join(' and ')} are off for ${dataDir}, until it is told to be safe again; ` +
    'a crash of the machine may destroy all of its data, so have nothing in it that cannot be made anew'
  )
}

/** The mode of a running server: `fast` if one of the three settings is off, or not everything is on disk yet. Asks in `database`. */
export async function modeOf(
  directory: DataDirectory,
  server: Administered & { readonly address: Address },
  database: string,
): Promise<Mode> {
  if (await new Durability(directory, server).isOwed()) return 'fast'
  const sql = carelessWhenOff.map((name) => `SELECT current_setting('${name}')`).join(' UNION ALL ')
  const found = await rowsFrom(server.address, database, sql)
  const settings =
    found?.flat() ?? (await server.withAdministrator(switches)).map((one) => one.setting)
  return settings.includes('off') ? 'fast' : 'safe'
}

/**
 * The mode in which a stopped cluster would run, according to its configuration files. The caller holds the change and use
 * locks.
 */
export async function modeWhileStopped(
  directory: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
  signal?: AbortSignal,
): Promise<Mode> {
  if (await directory.has(directory.unsynced)) return 'fast'
  for (const name of carelessWhenOff) {
    const { stdout } = await runServerProgram(runtime, 'postgres', {
      user,
      path: directory.path,
      args: (path) => ['-C', name, '-D', path],
      signal,
    })
    if (stdout.trim() === 'off') return 'fast'
  }
  return 'safe'
}

/** See `Server.setMode`. */
export async function setMode(
  directory: DataDirectory,
  server: Administered,
  mode: Mode,
  options: PatienceOptions,
): Promise<Outcome> {
  const durability = new Durability(directory, server)
  return await server.withAdministrator(async (client) => {
    const before = await switches(client)
    const kept = await keptOff(client)
    const asWanted =
      mode === 'fast'
        ? before
            .filter(({ name }) => isOffInFast(name))
            .every(({ setting, name }) => setting === 'off' && kept.has(name))
        : !before.some(({ setting }) => setting === 'off') &&
          kept.size === 0 &&
          !(await durability.isOwed())
    if (asWanted) return 'unmodified'
    await durability.around(client, options, async () => {
      for (const name of carelessWhenOff) {
        if (mode === 'safe' ? !kept.has(name) : !isOffInFast(name)) continue
        if (mode === 'fast') await client.query(`ALTER SYSTEM SET ${name} TO off`)
        else await client.query(`ALTER SYSTEM RESET ${name}`)
      }
      await reloadConfiguration(directory.path, client, options)
    })
    if (mode === 'safe') await requireSafe(directory, client)
    return 'modified'
  })
}

function isOffInFast(name: string): boolean {
  return offInFast.some((one) => one === name)
}

interface Switch {
  readonly name: string
  readonly setting: string
  readonly source: string
  readonly sourcefile: string | null
  readonly sourceline: number | null
}

async function switches(client: pg.Client): Promise<Switch[]> {
  const { rows } = await client.query<Switch>(
    `SELECT name, setting, source, sourcefile, sourceline FROM pg_catalog.pg_settings
      WHERE name = ANY ($1) ORDER BY name`,
    [carelessWhenOff],
  )
  return rows
}

/** The settings that `postgresql.auto.conf` turns off. */
async function keptOff(client: pg.Client): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT lower(name) AS name FROM pg_catalog.pg_file_settings
      WHERE sourcefile LIKE '%/postgresql.auto.conf' AND lower(name) = ANY ($1)
        AND lower(setting) IN ('off', 'of', 'false', 'fals', 'fal', 'fa', 'f', 'no', 'n', '0')`,
    [carelessWhenOff],
  )
  return new Set(rows.map(({ name }) => name))
}

/** Throws if a setting is still off, because something other than `ALTER SYSTEM` turns it off, which we do not change. */
async function requireSafe(directory: DataDirectory, client: pg.Client): Promise<void> {
  const off = (await switches(client)).filter(({ setting }) => setting === 'off')
  if (off.length === 0) return
  const places = off.map(({ name, source, sourcefile, sourceline }) => {
    const place = sourcefile === null ? `the ${source}` : `${sourcefile}:${sourceline}`
    return `${name} is turned off by ${place}`
  })
  throw notSafe(directory.path, `${places.join(', ')}; take that back`)
}
