import { postgres, type Server } from '@howdah/cluster'
import { escapeIdentifier as name, escapeLiteral as text } from 'pg'
import { asking } from '../source.ts'
import { settingClause } from './setting-clause.ts'

interface Role {
  readonly name: string
  readonly bootstrap: boolean
  /** `SUPERUSER NOINHERIT …`. */
  readonly attributes: string
  readonly password: string | null
  readonly until: string | null
  readonly comment: string | null
}

interface Membership {
  readonly role: string
  readonly member: string
  readonly admin: boolean
  /** Missing before 16. */
  readonly inherit?: boolean
  readonly set?: boolean
  readonly grantor?: string
  readonly byBootstrap?: boolean
}

/**
 * Makes the roles of the old cluster in the new one: attributes, passwords, comments, memberships, and settings for all
 * databases. The superuser of initdb is there already, and gets the same attributes at the end.
 *
 * Source: the documentation of `pg_dumpall --globals-only`.
 */
export async function carryRoles(source: Server, target: Server): Promise<void> {
  const roles = await rolesOf(source)
  const memberships = await membershipsOf(source)
  const settings = await settingsOf(source)
  await asking(target, postgres, async (client) => {
    for (const role of roles.filter(({ bootstrap }) => !bootstrap))
      await client.query(`CREATE ROLE ${name(role.name)} WITH ${attributesOf(role)}`)
    for (const statement of grantsFor(memberships, target.runtime.version.major))
      await client.query(statement)
    for (const { role, entry } of settings)
      await client.query(
        `ALTER ROLE ${role === null ? 'ALL' : name(role)} SET ${settingClause(entry)}`,
      )
    for (const { name: role, comment } of roles)
      if (comment !== null) await client.query(`COMMENT ON ROLE ${name(role)} IS ${text(comment)}`)
  })
}

/** Gives the superuser of initdb the attributes that it had. It may lose its rights by that, so it comes last. */
export async function carryBootstrapRole(source: Server, target: Server): Promise<void> {
  const role = (await rolesOf(source)).find(({ bootstrap }) => bootstrap)
  if (role === undefined) return
  await asking(target, postgres, async (client) => {
    await client.query(`ALTER ROLE ${name(role.name)} WITH ${attributesOf(role)}`)
  })
}

function attributesOf({ attributes, password, until }: Role): string {
  return [
    attributes,
    ...(password === null ? [] : [`PASSWORD ${text(password)}`]),
    ...(until === null ? [] : [`VALID UNTIL ${text(until)}`]),
  ].join(' ')
}

async function rolesOf(source: Server): Promise<Role[]> {
  const flags = [
    ['rolsuper', 'SUPERUSER'],
    ['rolinherit', 'INHERIT'],
    ['rolcreaterole', 'CREATEROLE'],
    ['rolcreatedb', 'CREATEDB'],
    ['rolcanlogin', 'LOGIN'],
    ['rolreplication', 'REPLICATION'],
    ['rolbypassrls', 'BYPASSRLS'],
  ].map(([column, word]) => `CASE WHEN ${column} THEN '${word}' ELSE 'NO${word}' END`)
  return await asking(source, postgres, async (client) => {
    const { rows } = await client.query<Role>(
      `SELECT rolname AS name, oid = 10 AS bootstrap,
              concat_ws(' ', ${flags.join(', ')}, 'CONNECTION LIMIT ' || rolconnlimit) AS attributes,
              rolpassword AS password, rolvaliduntil::text AS until,
              pg_catalog.shobj_description(oid, 'pg_authid') AS comment
         FROM pg_catalog.pg_authid WHERE rolname !~ '^pg_' ORDER BY rolname`,
    )
    return rows
  })
}

async function membershipsOf(source: Server): Promise<Membership[]> {
  const more =
    source.runtime.version.major < 16
      ? ''
      : `, a.inherit_option AS inherit, a.set_option AS set, g.rolname AS grantor, g.oid = 10 AS "byBootstrap"`
  return await asking(source, postgres, async (client) => {
    const { rows } = await client.query<Membership>(
      `SELECT r.rolname AS role, m.rolname AS member, a.admin_option AS admin${more}
         FROM pg_catalog.pg_auth_members AS a
         JOIN pg_catalog.pg_roles AS r ON r.oid = a.roleid
         JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
         LEFT JOIN pg_catalog.pg_roles AS g ON g.oid = a.grantor
        WHERE NOT (r.rolname ~ '^pg_' AND m.rolname ~ '^pg_') ORDER BY 1, 2`,
    )
    return rows
  })
}

/**
 * The statements that grant memberships. From 16 on a grantor needs the ADMIN option, so a grant follows the one by which its
 * grantor got that. Before 16 the grantor meant nothing, and is left out.
 */
function grantsFor(memberships: readonly Membership[], major: number): string[] {
  const statements: string[] = []
  const administrators = new Set<string>()
  let waiting = [...memberships]
  while (waiting.length > 0) {
    const ready = waiting.filter(
      ({ role, grantor, byBootstrap = true }) =>
        byBootstrap || administrators.has(JSON.stringify([role, grantor])),
    )
    const next = ready.length > 0 ? ready : waiting.map((one) => ({ ...one, byBootstrap: true }))
    for (const one of next) {
      statements.push(grant(one, major))
      if (one.admin) administrators.add(JSON.stringify([one.role, one.member]))
    }
    waiting = ready.length > 0 ? waiting.filter((one) => !ready.includes(one)) : []
  }
  return statements
}

function grant(
  { role, member, admin, inherit, set, grantor, byBootstrap }: Membership,
  major: number,
) {
  const words = `GRANT ${name(role)} TO ${name(member)}`
  if (major < 16 || inherit === undefined) return `${words}${admin ? ' WITH ADMIN OPTION' : ''}`
  const by = grantor === undefined || byBootstrap === true ? '' : ` GRANTED BY ${name(grantor)}`
  return `${words} WITH ADMIN ${admin}, INHERIT ${inherit}, SET ${set}${by}`
}

async function settingsOf(source: Server): Promise<{ role: string | null; entry: string }[]> {
  return await asking(source, postgres, async (client) => {
    const { rows } = await client.query<{ role: string | null; entry: string }>(
      // Those of databases are in the dumps of the databases.
      `SELECT rolname AS role, unnest(setconfig) AS entry
         FROM pg_catalog.pg_db_role_setting LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = setrole
        WHERE setdatabase = 0`,
    )
    return rows
  })
}
