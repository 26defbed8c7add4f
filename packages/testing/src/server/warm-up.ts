import type pg from 'pg'

/** How many tables and indexes are looked at. */
const relations = 40

/**
 * Lets a new connection read the parts of the catalogs that most queries need, so that the first query of a test need not wait
 * for that. It changes nothing. Errors are ignored.
 */
export async function warmUp(client: pg.Client): Promise<void> {
  await client
    .query(
      `EXPLAIN SELECT count(*) FROM pg_catalog.pg_class JOIN pg_catalog.pg_attribute ON attrelid = pg_class.oid
         WHERE relname = '' GROUP BY relkind ORDER BY relkind;
       SELECT sum(pg_catalog.pg_relation_size(oid)) FROM
         (SELECT oid FROM pg_catalog.pg_class WHERE oid >= 16384 AND relkind IN ('r', 'i') ORDER BY oid LIMIT ${relations}) AS first`,
    )
    .catch(() => undefined)
}
