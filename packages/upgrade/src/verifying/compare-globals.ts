import { postgres, type Server } from '@howdah/cluster'
import { asking } from '../source.ts'

/** What no database has by itself. */
const globals = `
  SELECT 'role ' || rolname || ' ' || concat_ws(' ', rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication,
           rolbypassrls, rolconnlimit, rolvaliduntil::text, rolpassword) AS fact, 'role ' || rolname AS name
    FROM pg_catalog.pg_authid WHERE rolname !~ '^pg_'
  UNION ALL
  SELECT format('role %s in role %s %s', m.rolname, r.rolname, a.admin_option), format('role %s in role %s', m.rolname, r.rolname)
    FROM pg_catalog.pg_auth_members AS a
    JOIN pg_catalog.pg_roles AS r ON r.oid = a.roleid JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
   WHERE NOT (r.rolname ~ '^pg_' AND m.rolname ~ '^pg_')
  UNION ALL
  SELECT concat_ws(' ', 'setting of', rolname, datname, entry), concat_ws(' ', 'setting', split_part(entry, '=', 1), 'of', rolname, datname)
    FROM pg_catalog.pg_db_role_setting
    LEFT JOIN pg_catalog.pg_database AS d ON d.oid = setdatabase
    LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = setrole
   CROSS JOIN LATERAL unnest(setconfig) AS entry
   WHERE setdatabase = 0 OR (datallowconn AND datconnlimit <> -2)
  UNION ALL
  SELECT concat_ws(' ', 'database', datname, pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype,
           datistemplate, datconnlimit, spcname), 'database ' || datname
    FROM pg_catalog.pg_database JOIN pg_catalog.pg_tablespace AS t ON t.oid = dattablespace
   WHERE datname <> 'template0' AND datallowconn AND datconnlimit <> -2
  UNION ALL
  SELECT concat_ws(' ', 'tablespace', spcname, pg_get_userbyid(spcowner), spcoptions::text), 'tablespace ' || spcname
    FROM pg_catalog.pg_tablespace WHERE spcname !~ '^pg_'
  ORDER BY 1`

/** Compares roles, memberships, settings of roles and databases, the properties of databases, and tablespaces. */
export async function compareGlobals(source: Server, target: Server): Promise<string[]> {
  const factsOf = async (server: Server) =>
    await asking(server, postgres, async (client) => {
      const { rows } = await client.query<{ fact: string; name: string }>(globals)
      return new Map(rows.map(({ fact, name }) => [fact, name]))
    })
  const [before, after] = [await factsOf(source), await factsOf(target)]
  const without = (one: Map<string, string>, other: Map<string, string>) =>
    [...one].filter(([fact]) => !other.has(fact)).map(([, name]) => name)
  const names = new Set([...without(before, after), ...without(after, before)])
  return [...names].map((name) => `${name} is not the same`)
}
