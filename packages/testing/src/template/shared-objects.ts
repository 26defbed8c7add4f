import type { Administrator } from '../server/administrator.ts'

/** The objects that all databases of a server share: its roles and tablespaces, as texts. */
export async function sharedObjects(administrator: Administrator): Promise<ReadonlySet<string>> {
  const rows = await administrator.query<{ name: string }>(
    `SELECT 'the role "' || rolname || '"' AS name FROM pg_catalog.pg_roles
      UNION ALL SELECT 'the tablespace "' || spcname || '"' FROM pg_catalog.pg_tablespace ORDER BY 1`,
  )
  return new Set(rows.map(({ name }) => name))
}

/** A warning about shared objects that a migration has made; `null` if there are none. */
export function warningOf(
  before: ReadonlySet<string>,
  after: ReadonlySet<string>,
  project: string,
): string | null {
  const made = [...after].filter((name) => !before.has(name))
  if (made.length === 0) return null
  return (
    `while ${project} was migrated, ${list(made)} came into being, which all databases of a server share: ` +
    `tests that run at once see each other's changes of ${made.length === 1 ? 'it' : 'them'}, and ${cure}`
  )
}

/** The cure for a migration that failed because of shared objects; `''` if it failed for another reason. */
export function cureOf(words: string): string {
  return /\b(role|tablespace) "[^"]*" already exists/.test(words)
    ? `; roles and tablespaces outlive the database that made them: ${cure}`
    : ''
}

const cure =
  "a migration that runs again finds them there already; let it make them only if they are missing, or set isolation: 'cluster'"

function list(names: readonly string[]): string {
  return names.length === 1
    ? names.join('')
    : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
