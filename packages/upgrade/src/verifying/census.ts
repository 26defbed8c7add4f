import type pg from 'pg'

/** A table, and how its rows are looked at. */
interface Table {
  readonly name: string
  /** The query for the number of its rows, and for the sum of the hashes of some of them. */
  readonly query: string
}

/** What a database has, but for its rows. */
export interface Census {
  readonly extensions: readonly string[]
  /** Tables, views, sequences, indexes and types, with their kinds. */
  readonly relations: readonly string[]
  readonly tables: readonly Table[]
  /** Their quoted names. */
  readonly sequences: readonly string[]
  /** How many there are of other things, such as functions. */
  readonly counts: Readonly<Record<string, string>>
}

/** Rows of a table up to this number are all compared; of more rows, about so many. */
const sampled = 100_000

/** What belongs to users, and to no extension. */
const ofUsers = (oid: string, catalog: string, kinds = `'e'`) =>
  `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e
     WHERE e.classid = 'pg_catalog.${catalog}'::regclass AND e.objid = ${oid} AND e.deptype IN (${kinds}))`

/** Values are compared as texts, which look alike from 10 to 18 with these settings. */
export const alike = `SET extra_float_digits = 0; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC';
   SET bytea_output = 'hex'; SET search_path = ''; SET row_security = off`

/** Asks what a database has. `major` is that of its server. */
export async function takeCensus(client: pg.Client, major: number): Promise<Census> {
  const column = async (sql: string) => {
    const { rows } = await client.query<{ name: string }>(sql)
    return rows.map(({ name }) => name)
  }
  const tables = await client.query<Table>(
    // The generated columns are made anew.
    `SELECT name, format('SELECT count(*)::text AS rows, coalesce(sum(hashtext(ROW(%s)::text COLLATE pg_catalog."C")::bigint)%s, 0)::text '
                         'AS sample FROM ONLY %s AS t', columns,
              CASE WHEN step > 1 THEN format(' FILTER (WHERE hashtext(t.%I::text COLLATE pg_catalog."C") %% %s = 0)', key, step) END, name) AS query
       FROM (SELECT format('%I.%I', n.nspname, c.relname) AS name, floor(c.reltuples / ${sampled})::bigint AS step,
                    (SELECT string_agg(format('t.%I', attname), ', ' ORDER BY attname) FROM pg_catalog.pg_attribute AS a
                      WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ${major < 12 ? '' : `AND attgenerated = ''`}) AS columns,
                    (SELECT attname FROM pg_catalog.pg_attribute AS a
                       LEFT JOIN pg_catalog.pg_index AS i ON i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)
                      WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
                      ORDER BY i.indexrelid NULLS LAST, attnum LIMIT 1) AS key
               FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
              WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND ${ofUsers('c.oid', 'pg_class')}) AS found ORDER BY name`,
  )
  const isOldest = major < 11
  const { rows: counts } = await client.query<Record<string, string>>(
    // The functions of a range type come with it, and are more from 14 on.
    `SELECT (SELECT count(*) FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = pronamespace
              WHERE ${ofUsers('p.oid', 'pg_proc', `'e', 'i'`)})::text AS functions,
            (SELECT count(*) FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_class AS c ON c.oid = tgrelid
               JOIN pg_catalog.pg_namespace AS n ON n.oid = relnamespace
              WHERE NOT tgisinternal AND NOT relispartition AND ${ofUsers('c.oid', 'pg_class')})::text AS triggers,
            (SELECT count(*) FROM pg_catalog.pg_constraint AS o JOIN pg_catalog.pg_class AS c ON c.oid = conrelid
               JOIN pg_catalog.pg_namespace AS n ON n.oid = relnamespace
              WHERE contype IN ('p', 'u', 'c', 'f', 'x') AND NOT relispartition ${isOldest ? '' : 'AND conparentid = 0'}
                AND ${ofUsers('c.oid', 'pg_class')})::text AS constraints,
            (SELECT count(*) FROM pg_catalog.pg_policy)::text AS policies,
            (SELECT count(*) FROM pg_catalog.pg_publication)::text AS publications,
            (SELECT count(*) FROM pg_catalog.pg_event_trigger AS t WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e
              WHERE e.objid = t.oid AND e.deptype = 'e'))::text AS "event triggers",
            (SELECT count(*) || ' of ' || (SELECT coalesce(sum(octet_length(data)), 0) FROM pg_catalog.pg_largeobject) || ' bytes'
               FROM pg_catalog.pg_largeobject_metadata) AS "large objects"`,
  )
  return {
    extensions: await column('SELECT extname AS name FROM pg_catalog.pg_extension ORDER BY 1'),
    relations: await column(
      // pg_dump leaves out invalid indexes.
      `SELECT format('%s %I.%I', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                 WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type'
                 ELSE 'index' END, n.nspname, c.relname) AS name
         FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
         LEFT JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
        WHERE c.relkind <> 't' AND c.relpersistence <> 't' AND coalesce(i.indisvalid, true)
          AND ${ofUsers('coalesce(i.indrelid, c.oid)', 'pg_class')} ORDER BY 1`,
    ),
    tables: tables.rows,
    sequences: await column(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name
         FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND ${ofUsers('c.oid', 'pg_class')} ORDER BY 1`,
    ),
    counts: counts[0] ?? {},
  }
}
