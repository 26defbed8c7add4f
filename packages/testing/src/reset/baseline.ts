import type pg from 'pg'
import { type Fingerprint, readFingerprint } from './fingerprint.ts'

/** A table of the template. */
export interface Table {
  readonly oid: number
  /** The quoted name with its schema. */
  readonly name: string
  /** The quoted names of the columns, without generated ones. */
  readonly columns: readonly string[]
  /** Its rows, each in the form of a composite value of PostgreSQL. */
  readonly rows: readonly string[]
  /** Statements that turn its triggers off, and back to their old state. */
  readonly triggers: readonly { readonly off: string; readonly on: string }[]
  /** The tables that have foreign keys to it. */
  readonly referrers: readonly number[]
}

/** The state that a reset restores: all rows and sequences of a template, read once from an unused database. */
export interface Baseline {
  readonly fingerprint: Fingerprint
  readonly tables: ReadonlyMap<number, Table>
  readonly sequences: readonly Sequence[]
  /** Quoted names of materialized views, in the order in which they were made. */
  readonly views: readonly string[]
  readonly largeObjects: readonly string[]
}

interface Sequence {
  readonly oid: number
  readonly value: string
  readonly called: boolean
}

/** The condition for our own objects, without temporary ones and those of extensions. */
const ours = `c.relpersistence <> 't' AND pg_catalog.pg_has_role(c.relowner, 'MEMBER')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`

const from = `FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`

export async function readBaseline(client: pg.Client): Promise<Baseline> {
  return {
    fingerprint: await readFingerprint(client),
    tables: await readTables(client),
    sequences: await readSequences(client),
    views: await readViews(client),
    largeObjects: await readLargeObjects(client),
  }
}

async function readTables(client: pg.Client): Promise<ReadonlyMap<number, Table>> {
  const { rows: version } = await client.query<{ number: number }>(
    `SELECT current_setting('server_version_num')::int AS number`,
  )
  const plain = (version[0]?.number ?? 0) >= 120000 ? `AND a.attgenerated = ''` : ''
  const { rows: tables } = await client.query<Omit<Table, 'rows'> & { size: string }>(
    `SELECT c.oid::int8::float8 AS oid, format('%I.%I', n.nspname, c.relname) AS name, pg_relation_size(c.oid) AS size,
            ARRAY(SELECT quote_ident(a.attname) FROM pg_catalog.pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ${plain} ORDER BY a.attnum) AS columns,
            ARRAY(SELECT DISTINCT conrelid::int8::float8 FROM pg_catalog.pg_constraint
                   WHERE contype = 'f' AND confrelid = c.oid AND conrelid <> c.oid) AS referrers,
            coalesce((SELECT jsonb_agg(jsonb_build_object(
                'off', format('ALTER TABLE %I.%I DISABLE TRIGGER %I', n.nspname, c.relname, t.tgname),
                'on', format('ALTER TABLE %I.%I ENABLE %s TRIGGER %I', n.nspname, c.relname,
                             CASE t.tgenabled WHEN 'A' THEN 'ALWAYS' ELSE '' END, t.tgname)))
               FROM pg_catalog.pg_trigger t
              WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')), '[]') AS triggers
       ${from} WHERE c.relkind = 'r' AND ${ours} ORDER BY c.oid`,
  )
  const found = new Map<number, Table>()
  for (const { size, ...table } of tables) {
    const rows = size === '0' ? [] : await readRows(client, table.name)
    found.set(table.oid, { ...table, rows })
  }
  return found
}

async function readRows(client: pg.Client, table: string): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(
    `SELECT howdah_row::text AS line FROM ONLY ${table} AS howdah_row`,
  )
  return rows.map(({ line }) => line)
}

async function readSequences(client: pg.Client): Promise<Sequence[]> {
  const { rows: names } = await client.query<{ oid: number; name: string }>(
    `SELECT c.oid::int8::float8 AS oid, format('%I.%I', n.nspname, c.relname) AS name
       ${from} WHERE c.relkind = 'S' AND ${ours}`,
  )
  if (names.length === 0) return []
  const each = names.map(
    ({ oid, name }) =>
      `SELECT ${oid}::float8 AS oid, last_value::text AS value, is_called AS called FROM ${name}`,
  )
  return (await client.query<Sequence>(each.join(' UNION ALL '))).rows
}

async function readViews(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name
       ${from} WHERE c.relkind = 'm' AND c.relispopulated AND ${ours} ORDER BY c.oid`,
  )
  return rows.map(({ name }) => name)
}

async function readLargeObjects(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ oid: string }>(
    'SELECT oid::text AS oid FROM pg_catalog.pg_largeobject_metadata',
  )
  return rows.map(({ oid }) => oid)
}
