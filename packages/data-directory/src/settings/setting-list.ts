/**
 * The settings with a list of names that are quoted name by name: GUC_LIST_QUOTE in PostgreSQL's sources, which extensions
 * may not use. A single string with commas would become one odd name.
 */
const quoted: ReadonlySet<string> = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
])

/** The other lists of names, which PostgreSQL keeps as one string: GUC_LIST_INPUT, except those with a grammar of their own. */
const plain: ReadonlySet<string> = new Set([
  'createrole_self_grant',
  'datestyle',
  'debug_io_direct',
  'io_direct',
  'listen_addresses',
  'log_destination',
  'oauth_validator_libraries',
  'restrict_nonsystem_relation_kind',
  'synchronized_standby_slots',
  'wal_consistency_checking',
])

/** The settings in which an unquoted name is an SQL identifier and is put into lower case. In the others it is a path. */
const identifiers: ReadonlySet<string> = new Set(['search_path', 'temp_tablespaces'])

/** Whether the value of a setting is a list of names. */
export function isList(name: string): boolean {
  return isQuotedList(name) || plain.has(name.toLowerCase())
}

/** Whether `ALTER SYSTEM` needs each name of the list as a string of its own. */
export function isQuotedList(name: string): boolean {
  return quoted.has(name.toLowerCase())
}

/** Whether the list is empty only if the setting is not set, because `''` would be the name of a library. */
export function isEmptyByDefault(name: string): boolean {
  return name.toLowerCase().endsWith('_preload_libraries')
}

/**
 * Splits a list in the form of a configuration file, such as `a, "B c"`. `null` if it is malformed: an open quote, or nothing
 * between two commas.
 */
export function splitList(setting: string, text: string): string[] | null {
  if (text.trim() === '') return []
  const names: string[] = []
  const rest = /\s*(?:"((?:[^"]|"")*)"|([^",]+?))\s*(,|$)/sy
  while (rest.lastIndex < text.length) {
    const [, inQuotes, bare, end] = rest.exec(text) ?? []
    if (end === undefined) return null
    names.push(
      inQuotes === undefined ? folded(setting, bare ?? '') : inQuotes.replaceAll('""', '"'),
    )
    if (end === '') return names
  }
  // The text ended in a comma.
  return null
}

function folded(setting: string, name: string): string {
  return identifiers.has(setting.toLowerCase())
    ? name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
    : name
}
