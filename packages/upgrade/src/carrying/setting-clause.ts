import { escapeIdentifier, escapeLiteral } from 'pg'

/**
 * Settings whose values are lists of names: `GUC_LIST_QUOTE` in PostgreSQL's `guc_tables.c`. They are stored with the quotes of
 * their names, and each name is to be given by itself.
 */
const lists =
  /^(?:local_preload_libraries|search_path|session_preload_libraries|shared_preload_libraries|temp_tablespaces|unix_socket_directories)$/i

/** What follows SET for an entry of `pg_db_role_setting.setconfig`, which is `name=value`. */
export function settingClause(entry: string): string {
  const equals = entry.indexOf('=')
  const name = entry.slice(0, equals)
  const value = entry.slice(equals + 1)
  const values = lists.test(name) ? namesIn(value) : [value]
  const quoted = name
    .split('.')
    .map((part) => escapeIdentifier(part))
    .join('.')
  return `${quoted} TO ${values.map((one) => escapeLiteral(one)).join(', ')}`
}

/** The names of a list, without quotes. An empty list is one empty name. */
function namesIn(list: string): string[] {
  const names = list.match(/"(?:[^"]|"")*"|[^\s,]+/g) ?? ['']
  return names.map((name) =>
    name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase(),
  )
}
