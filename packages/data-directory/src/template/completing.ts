/** The superuser of the template that comes with a PostgreSQL. */
export const shippedSuperuser = 'postgres'

/** Makes what the template lacks, by the statements of initdb: see PostgreSQL's `initdb.c`. */
const statements = [
  "SELECT pg_import_system_collations('pg_catalog');",
  'ANALYZE pg_authid, pg_collation;',
  'VACUUM FREEZE pg_authid, pg_collation, pg_statistic;',
  'CREATE DATABASE template0 IS_TEMPLATE = true ALLOW_CONNECTIONS = false OID = 4 STRATEGY = file_copy;',
  'REVOKE CREATE,TEMPORARY ON DATABASE template0 FROM public;',
  "COMMENT ON DATABASE template0 IS 'unmodifiable empty database';",
  'VACUUM pg_database;',
  'CREATE DATABASE postgres OID = 5 STRATEGY = file_copy;',
  "COMMENT ON DATABASE postgres IS 'default administrative connection database';",
]

/** Everything is synced later. The shared memory is the template's own setting. */
const settings = {
  fsync: 'off',
  full_page_writes: 'off',
  log_checkpoints: 'off',
  dynamic_shared_memory_type: 'posix',
  allow_system_table_mods: 'on',
}

/** What completes the template that comes with a PostgreSQL: a session in `template1`, in single-user mode. */
export function completing(superuser: string): {
  readonly statements: readonly string[]
  readonly settings: Readonly<Record<string, string>>
} {
  return { statements: [renaming(superuser), ...statements], settings }
}

/**
 * Renames the superuser in the catalog, because ALTER ROLE cannot rename the connected role, and single-user mode has no
 * other.
 */
export function renaming(superuser: string): string {
  // A newline would end the statement.
  const name = superuser.replaceAll(/["'$\\\p{Cc}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return String.raw`\u${code.toString(16).padStart(4, '0')}`
  })
  return `UPDATE pg_catalog.pg_authid SET rolname = E'${name}' WHERE oid = 10;`
}
