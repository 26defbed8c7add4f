import type pg from 'pg'

/** A setting of `ALTER DATABASE … SET`, or of `ALTER ROLE … IN DATABASE … SET`. */
interface Kept {
  /** The role; `null` for all roles. */
  readonly role: string | null
  /** As the server stores it: `name=value`. */
  readonly setting: string
}

/** A right that a role has on a database. */
interface Right {
  /** `null`: PUBLIC. */
  readonly role: string | null
  readonly grantor: string
  readonly right: string
  readonly grantable: boolean
}

/** What belongs to a database but is not in it. `CREATE DATABASE … TEMPLATE` does not copy it. */
export interface Properties {
  readonly owner: string
  readonly connectionLimit: number
  readonly allowConnections: boolean
  readonly isTemplate: boolean
  readonly comment: string | null
  readonly settings: readonly Kept[]
  /** `null`: nobody has changed them. */
  readonly rights: readonly Right[] | null
}

/** The properties of a database; `null` if it is missing. */
export async function propertiesOf(client: pg.Client, name: string): Promise<Properties | null> {
  const { rows } = await client.query<Properties>(
    `SELECT pg_catalog.pg_get_userbyid(datdba)::text AS owner, datconnlimit AS "connectionLimit",
            datallowconn AS "allowConnections", datistemplate AS "isTemplate",
            pg_catalog.shobj_description(oid, 'pg_database') AS comment,
            coalesce((SELECT json_agg(json_build_object('role', r.rolname, 'setting', setting))
               FROM pg_catalog.pg_db_role_setting s CROSS JOIN unnest(setconfig) AS setting
               LEFT JOIN pg_catalog.pg_roles r ON r.oid = setrole WHERE setdatabase = d.oid), '[]') AS settings,
            CASE WHEN datacl IS NOT NULL THEN coalesce((SELECT json_agg(json_build_object('role', r.rolname,
                'grantor', pg_catalog.pg_get_userbyid(grantor), 'right', privilege_type, 'grantable', is_grantable)
                ORDER BY place)
               FROM pg_catalog.aclexplode(datacl) WITH ORDINALITY
                    AS one (grantor, grantee, privilege_type, is_grantable, place)
               LEFT JOIN pg_catalog.pg_roles r ON r.oid = grantee), '[]') END AS rights
       FROM pg_catalog.pg_database d WHERE datname = $1`,
    [name],
  )
  return rows[0] ?? null
}

/**
 * Gives properties to a database that has none of its own yet, except for its comment and whether it can be used. Call it in
 * a transaction.
 *
 * Source: the notes on "CREATE DATABASE" in PostgreSQL's manual.
 */
export async function giveProperties(
  client: pg.Client,
  name: string,
  { owner, connectionLimit, settings, rights }: Properties,
): Promise<void> {
  const database = client.escapeIdentifier(name)
  await client.query(
    `ALTER DATABASE ${database} OWNER TO ${client.escapeIdentifier(owner)};
     ALTER DATABASE ${database} CONNECTION LIMIT ${connectionLimit}`,
  )
  for (const { role, setting } of settings) {
    const whose =
      role === null
        ? `DATABASE ${database}`
        : `ROLE ${client.escapeIdentifier(role)} IN DATABASE ${database}`
    await client.query(`ALTER ${whose} SET ${assignmentOf(client, setting)}`)
  }
  if (rights === null) return
  // What the owner and PUBLIC may do if nobody has changed it.
  await client.query(
    `REVOKE ALL ON DATABASE ${database} FROM PUBLIC, ${client.escapeIdentifier(owner)}`,
  )
  for (const { role, grantor, right, grantable } of rights) {
    const to = role === null ? 'PUBLIC' : client.escapeIdentifier(role)
    // The owner always has the right to grant.
    const how = grantable && role !== owner ? ' WITH GRANT OPTION' : ''
    if (grantor !== owner) await client.query(`SET LOCAL ROLE ${client.escapeIdentifier(grantor)}`)
    await client.query(`GRANT ${right} ON DATABASE ${database} TO ${to}${how}`)
    if (grantor !== owner) await client.query('RESET ROLE')
  }
}

/**
 * Settings whose values are lists of quoted names, which have to be set one by one. Source: `variable_is_guc_list_quote` of
 * PostgreSQL's `dumputils.c`.
 */
const lists: ReadonlySet<string> = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
])

/** `name = value` for `ALTER … SET`, of a setting as the server stores it. */
function assignmentOf(client: pg.Client, setting: string): string {
  const equals = setting.indexOf('=')
  const [name, value] = [setting.slice(0, equals), setting.slice(equals + 1)]
  const quoted = name.split('.').map((part) => client.escapeIdentifier(part))
  const values = lists.has(name.toLowerCase()) ? namesIn(value) : [value]
  return `${quoted.join('.')} = ${values.map((one) => client.escapeLiteral(one)).join(', ')}`
}

/** The names in a list such as `"$user", public`. */
function namesIn(list: string): string[] {
  const names = list.match(/"(?:[^"]|"")*"|[^\s,"]+/g) ?? []
  return names.map((one) => (one.startsWith('"') ? one.slice(1, -1).replaceAll('""', '"') : one))
}
