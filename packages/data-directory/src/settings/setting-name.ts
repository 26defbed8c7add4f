import { invalidSetting } from '../errors.ts'

/** What no start may set: howdah sets these on the server's command line, so that nothing overrides them. */
const fixed: ReadonlySet<string> = new Set(['port', 'listen_addresses', 'unix_socket_permissions'])

/** Howdah's own choice on the command line, unless a start is given another one there. */
const chosen: ReadonlySet<string> = new Set(['unix_socket_directories'])

/** What PostgreSQL writes between the settings of a server's command line in `postmaster.opts`. */
export const settingSeparator = '" "-c" "'

/** Throws `ERR_CLUSTER_INVALID_SETTING` for what cannot be given to a server with `-c NAME=VALUE`. */
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
 * Throws `ERR_CLUSTER_INVALID_SETTING` for what cannot be kept in the cluster: the command line would override it, or
 * `ALTER SYSTEM` would write what no server can read again, and none would start.
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

/** Whether howdah sets it at each start, and takes it from nobody. */
export function isFixed(name: string): boolean {
  return fixed.has(name.toLowerCase())
}

/** Throws `ERR_CLUSTER_INVALID_SETTING` for what is not a setting's name, not even that of an extension's. */
export function checkSettingName(dataDir: string, name: string): void {
  if (/^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)*$/.test(name)) return
  throw invalidSetting(dataDir, name, 'a name is made of letters, digits, _ and dots')
}
