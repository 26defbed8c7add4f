import { postgres, type Server } from '@howdah/cluster'
import { escapeIdentifier as name, escapeLiteral as text } from 'pg'
import { asking } from '../source.ts'

interface Tablespace {
  readonly name: string
  readonly owner: string
  readonly location: string
  readonly options: string[] | null
  readonly comment: string | null
}

interface Grant {
  readonly on: string
  readonly privilege: string
  /** `null` for PUBLIC. */
  readonly to: string | null
  readonly grantable: boolean
}

/**
 * Makes the tablespaces of the old cluster in the new one, at the same locations: each major has a directory of its own there.
 * Then it makes the grants on tablespaces, and on settings, which no database has.
 */
export async function carryTablespaces(source: Server, target: Server): Promise<void> {
  const { major } = source.runtime.version
  const { tablespaces, grants } = await asking(source, postgres, async (client) => {
    const found = await client.query<Tablespace>(
      `SELECT spcname AS name, pg_catalog.pg_get_userbyid(spcowner) AS owner,
              pg_catalog.pg_tablespace_location(oid) AS location, spcoptions AS options,
              pg_catalog.shobj_description(oid, 'pg_tablespace') AS comment
         FROM pg_catalog.pg_tablespace WHERE spcname !~ '^pg_' ORDER BY oid`,
    )
    const onTablespaces = await client.query<Grant>(
      `SELECT 'TABLESPACE ' || quote_ident(spcname) AS on, privilege_type AS privilege,
              CASE WHEN grantee <> 0 THEN pg_catalog.pg_get_userbyid(grantee) END AS to, is_grantable AS grantable
         FROM pg_catalog.pg_tablespace CROSS JOIN LATERAL pg_catalog.aclexplode(spcacl)
        WHERE spcname !~ '^pg_' AND grantee <> spcowner`,
    )
    const onSettings =
      major < 15
        ? { rows: [] }
        : await client.query<Grant>(
            `SELECT 'PARAMETER ' || parname AS on, privilege_type AS privilege,
                    CASE WHEN grantee <> 0 THEN pg_catalog.pg_get_userbyid(grantee) END AS to, is_grantable AS grantable
               FROM pg_catalog.pg_parameter_acl CROSS JOIN LATERAL pg_catalog.aclexplode(paracl)
              WHERE grantee <> 10`,
          )
    return { tablespaces: found.rows, grants: [...onTablespaces.rows, ...onSettings.rows] }
  })
  await asking(target, postgres, async (client) => {
    for (const { name: space, owner, location, options, comment } of tablespaces) {
      const isInPlace = location.startsWith('pg_tblspc/')
      if (isInPlace) await client.query('SET allow_in_place_tablespaces = on')
      await client.query(
        `CREATE TABLESPACE ${name(space)} OWNER ${name(owner)} LOCATION ${text(isInPlace ? '' : location)}`,
      )
      for (const option of options ?? []) {
        const [setting = '', value = ''] = option.split(/=(.*)/s)
        await client.query(
          `ALTER TABLESPACE ${name(space)} SET (${name(setting)} = ${text(value)})`,
        )
      }
      if (comment !== null)
        await client.query(`COMMENT ON TABLESPACE ${name(space)} IS ${text(comment)}`)
    }
    for (const { on, privilege, to, grantable } of grants)
      await client.query(
        `GRANT ${privilege} ON ${on} TO ${to === null ? 'PUBLIC' : name(to)}${grantable ? ' WITH GRANT OPTION' : ''}`,
      )
  })
}
