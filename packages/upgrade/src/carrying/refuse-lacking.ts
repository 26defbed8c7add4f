import { postgres, type Server } from '@howdah/cluster'
import { lacks } from '../errors.ts'
import { asking } from '../source.ts'

/** Throws `ERR_UPGRADE_LACKING` with everything that the old cluster uses and the new PostgreSQL does not have. */
export async function refuseLacking(
  source: Server,
  target: Server,
  databases: readonly string[],
): Promise<void> {
  const { version } = target.runtime
  const extensions = await asking(target, postgres, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'SELECT name FROM pg_catalog.pg_available_extensions',
    )
    return new Set(rows.map(({ name }) => name))
  })
  const lacking: string[] = []
  const kept = await asking(source, postgres, async (client) => {
    const { rows } = await client.query<{ setting: string; whose: string }>(
      `SELECT lower(split_part(entry, '=', 1)) AS setting,
              concat_ws(', ', 'database ' || datname, 'role ' || rolname) AS whose
         FROM pg_catalog.pg_db_role_setting
         LEFT JOIN pg_catalog.pg_database AS d ON d.oid = setdatabase
         LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = setrole
        CROSS JOIN LATERAL unnest(setconfig) AS entry`,
    )
    return rows
  })
  await asking(target, postgres, async (client) => {
    for (const { setting, whose } of kept) {
      const { rows } = await client.query<{ known: boolean }>(
        'SELECT current_setting($1, true) IS NOT NULL AS known',
        [setting],
      )
      // One with a dot belongs to an extension, and any is accepted.
      if (!setting.includes('.') && rows[0]?.known !== true)
        lacking.push(`setting ${setting} (${whose})`)
    }
  })
  for (const database of databases) {
    await asking(source, database, async (client) => {
      const installed = await client.query<{ name: string }>(
        'SELECT extname AS name FROM pg_catalog.pg_extension ORDER BY 1',
      )
      for (const { name } of installed.rows)
        if (!extensions.has(name)) lacking.push(`extension ${name} (database ${database})`)
      if (source.runtime.version.major >= 12 || version.major < 12) return
      const withOids = await client.query<{ name: string }>(
        `SELECT oid::regclass::text AS name FROM pg_catalog.pg_class
          WHERE relhasoids AND relkind IN ('r', 'p') AND oid >= 16384`,
      )
      for (const { name } of withOids.rows)
        lacking.push(`tables WITH OIDS, such as ${name} (database ${database})`)
    })
  }
  if (lacking.length > 0) throw lacks(source.dataDir, version.toString(), lacking)
}
