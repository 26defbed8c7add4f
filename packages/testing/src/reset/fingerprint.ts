import type pg from 'pg'

/** Digests of the parts of a schema, by readable names. */
export type Fingerprint = ReadonlyMap<string, string>

/** The OID from which users' objects are numbered: `FirstNormalObjectId` in PostgreSQL's `access/transam.h`. */
const firstUserOid = 16384

/**
 * Reads a digest of the catalogs for each part of the schema. Databases of one template have the same OIDs, so rows of the
 * catalogs can be compared directly. Temporary tables do not count, and columns that change with the rows are left out.
 */
export async function readFingerprint(client: pg.Client): Promise<Fingerprint> {
  const { rows } = await client.query<{ part: string; digest: string }>(fingerprints)
  return new Map(rows.map(({ part, digest }) => [part, digest]))
}

/** The new, missing and different parts. */
export function differences(before: Fingerprint, after: Fingerprint): string[] {
  const parts = new Set([...before.keys(), ...after.keys()])
  return [...parts].filter((part) => before.get(part) !== after.get(part))
}

const perTable = [
  ['pg_attribute', 'attrelid', 'columns', 'attnum'],
  ['pg_attrdef', 'adrelid', 'defaults', 'oid'],
  ['pg_constraint', 'conrelid', 'constraints', 'oid'],
  ['pg_index', 'indrelid', 'indexes', 'indexrelid'],
  ['pg_trigger', 'tgrelid', 'triggers', 'oid'],
  ['pg_policy', 'polrelid', 'policies', 'oid'],
  ['pg_rewrite', 'ev_class', 'definition', 'oid'],
  ['pg_sequence', 'seqrelid', 'range', 'seqrelid'],
] as const

const others = [
  ['pg_proc', 'proname', 'function'],
  ['pg_type', 'typname', 'type'],
  ['pg_namespace', 'nspname', 'schema'],
  ['pg_extension', 'extname', 'extension'],
] as const

const fingerprints = `
  WITH relations AS (
    SELECT c.oid, n.nspname || '.' || c.relname AS name,
           md5(concat_ws(' ', c.relname, c.relkind, c.relnamespace, c.relowner, c.relpersistence, c.reloptions,
                         c.relacl, c.relrowsecurity, c.relforcerowsecurity, c.relreplident)) AS digest
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid >= ${firstUserOid} AND c.relpersistence <> 't' AND n.nspname <> 'pg_toast'
  )
  SELECT name AS part, digest FROM relations
  ${perTable
    .map(
      ([catalog, relation, what, order]) => `UNION ALL
  SELECT 'the ${what} of ' || r.name, md5(string_agg(x::text, ' ' ORDER BY x.${order}))
    FROM pg_catalog.${catalog} x JOIN relations r ON r.oid = x.${relation} GROUP BY r.oid, r.name`,
    )
    .join('\n  ')}
  ${others
    .map(
      ([catalog, name, what]) => `UNION ALL
  SELECT 'the ${what} ' || x.${name}, md5(string_agg(x::text, ' ' ORDER BY x.oid))
    FROM pg_catalog.${catalog} x
   WHERE x.oid >= ${firstUserOid} AND ${
     catalog === 'pg_namespace'
       ? "x.nspname !~ '^pg_'"
       : catalog === 'pg_type'
         ? "x.typnamespace NOT IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname ~ '^pg_(toast|temp)')"
         : 'true'
   } GROUP BY x.${name}`,
    )
    .join('\n  ')}
  UNION ALL
  SELECT 'the values of ' || enumtypid::regtype, md5(string_agg(x::text, ' ' ORDER BY enumsortorder))
    FROM pg_catalog.pg_enum x WHERE enumtypid >= ${firstUserOid} GROUP BY enumtypid`
