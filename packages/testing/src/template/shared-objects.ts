import type { Administrator } from '../server/administrator.ts'

/** What all databases of a server share: the roles and tablespaces that there are, in words. */
export async function sharedObjects(administrator: Administrator): Promise<ReadonlySet<string>> {
  const rows = await administrator.query<{ name: string }>(
    `SELECT 'the role "' || rolname || '"' AS name FROM pg_catalog.pg_roles
      UNION ALL SELECT 'the tablespace "' || spcname || '"' FROM pg_catalog.pg_tablespace ORDER BY 1`,
  )
  return new Set(rows.map(({ name }) => name))
}

/** What to say of those that have come while a template was made; `null` if none has. */
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

/** What to do about a migration that failed because of what is shared; `''` if it failed of something else. */
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
