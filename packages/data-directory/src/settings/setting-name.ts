import { invalidSetting } from '../errors.ts'

/** Settings that no start may set, because howdah sets them on the server's command line, where nothing overrides them. */
const fixed: ReadonlySet<string> = new Set(['port', 'listen_addresses', 'unix_socket_permissions'])

/** Settings that howdah sets on the command line unless a start sets them. */
const chosen: ReadonlySet<string> = new Set(['unix_socket_directories'])

/** The text between the settings of a server's command line in `postmaster.opts`. */
export const settingSeparator = '" "-c" "'

/** Throws `ERR_CLUSTER_INVALID_SETTING` if the setting cannot be passed to a server by `-c NAME=VALUE`. */
export function checkStartSetting(dataDir: string, name: string, value: string): void {
  checkSettingName(dataDir, name)
  if (value.includes('\0')) {
    throw invalidSetting(dataDir, name, 'its value contains a NUL byte')
  }
  if (value.includes(settingSeparator)) {
    const why = `its value contains ${settingSeparator}, by which PostgreSQL tells settings apart`
    throw invalidSetting(dataDir, name, why)
  }
  if (isFixed(name)) {
    const why = 'howdah sets it itself; ask for TCP by the option for it'
    throw invalidSetting(dataDir, name, why)
  }
}

/**
 * Throws `ERR_CLUSTER_INVALID_SETTING` if the setting cannot be kept in the cluster: the command line would override it, or
 * `ALTER SYSTEM` would write a line that no server can read, so that none would start.
 */
export function checkKeptSetting(dataDir: string, name: string): void {
  checkSettingName(dataDir, name)
  if (!/^\w+(\.\w+)?$/.test(name)) {
    const why = 'in a file, a name has no $, and one dot at most'
    throw invalidSetting(dataDir, name, why)
  }
  if (isFixed(name)) {
    const why = 'howdah sets it itself at every start; ask for TCP by the option for it'
    throw invalidSetting(dataDir, name, why)
  }
  if (chosen.has(name.toLowerCase())) {
    const why = 'howdah sets it itself at every start; give it with the settings of a start'
    throw invalidSetting(dataDir, name, why)
  }
}

/** Whether howdah itself sets this setting at each start, and nobody else may. */
export function isFixed(name: string): boolean {
  return fixed.has(name.toLowerCase())
}

/** Throws `ERR_CLUSTER_INVALID_SETTING` if this cannot be the name of a setting, not even of an extension's setting. */
export function checkSettingName(dataDir: string, name: string): void {
  if (/^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)*$/.test(name)) return
  throw invalidSetting(dataDir, name, 'a name is made of letters, digits, _ and dots')
}
