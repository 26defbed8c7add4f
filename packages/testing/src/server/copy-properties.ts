import type pg from 'pg'
import { escapeIdentifier } from 'pg'

/** A setting of `ALTER DATABASE … SET`, or of `ALTER ROLE … IN DATABASE … SET`. */
interface Kept {
  /** The role; `null` for all roles. */
  readonly role: string | null
  /** In the form in which the server stores it: `name=value`. */
  readonly setting: string
}

/** A right that a role has on a database. */
interface Right {
  /** `null`: PUBLIC. */
  readonly role: string | null
  readonly right: string
  readonly grantable: boolean
}

/**
 * The properties of a template that `CREATE DATABASE … TEMPLATE` does not copy.
 *
 * Source: the notes on "CREATE DATABASE" in PostgreSQL's manual.
 */
export interface Properties {
  /** Whether any rights on it are set. If not, PUBLIC may connect. */
  readonly limited: boolean
  readonly kept: readonly Kept[]
  readonly rights: readonly Right[]
}

/** Asks a server, and gives the rows of the answer. */
type Ask = <Row extends pg.QueryResultRow>(text: string, values: unknown[]) => Promise<Row[]>

/** Reads the template's own settings, and the rights on it. */
export async function readProperties(ask: Ask, template: string): Promise<Properties> {
  const [found] = await ask<{ limited: boolean; kept: Kept[] | null; rights: Right[] | null }>(
    `SELECT datacl IS NOT NULL AS limited,
            (SELECT json_agg(json_build_object('role', r.rolname, 'setting', setting))
               FROM pg_catalog.pg_db_role_setting s CROSS JOIN unnest(setconfig) AS setting
               LEFT JOIN pg_catalog.pg_roles r ON r.oid = setrole WHERE setdatabase = d.oid) AS kept,
            (SELECT json_agg(json_build_object('role', r.rolname, 'right', privilege_type, 'grantable', is_grantable))
               FROM pg_catalog.aclexplode(datacl) LEFT JOIN pg_catalog.pg_roles r ON r.oid = grantee
              WHERE grantee <> datdba) AS rights
       FROM pg_catalog.pg_database d
      WHERE datname = $1 AND (datacl IS NOT NULL OR oid IN (SELECT setdatabase FROM pg_catalog.pg_db_role_setting))`,
    [template],
  )
  return { limited: found?.limited === true, kept: found?.kept ?? [], rights: found?.rights ?? [] }
}

/** Gives a database these properties. */
export async function setProperties(
  client: pg.Client,
  name: string,
  { limited, kept, rights }: Properties,
): Promise<void> {
  const database = escapeIdentifier(name)
  for (const { role, setting } of kept) await keep(client, database, role, setting)
  const granting = rights.map(({ role, right, grantable }) => {
    const to = role === null ? 'PUBLIC' : escapeIdentifier(role)
    const how = grantable ? ' WITH GRANT OPTION' : ''
    return `GRANT ${right} ON DATABASE ${database} TO ${to}${how}`
  })
  const revoking = limited ? [`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`] : []
  const statements = [...revoking, ...granting]
  if (statements.length > 0) await client.query(statements.join('; '))
}

/**
 * Sets a setting by its value in this session, because the stored form of a list such as `search_path` cannot be used to set
 * it.
 */
async function keep(
  client: pg.Client,
  database: string,
  role: string | null,
  setting: string,
): Promise<void> {
  const equals = setting.indexOf('=')
  const parameter = setting.slice(0, equals)
  const whose =
    role === null
      ? `DATABASE ${database}`
      : `ROLE ${escapeIdentifier(role)} IN DATABASE ${database}`
  await client.query('BEGIN')
  try {
    await client.query('SELECT pg_catalog.set_config($1, $2, true)', [
      parameter,
      setting.slice(equals + 1),
    ])
    const quoted = parameter.split('.').map(escapeIdentifier).join('.')
    await client.query(`ALTER ${whose} SET ${quoted} FROM CURRENT`)
  } finally {
    await client.query('COMMIT')
  }
}
