import type { ClusterError } from '../cluster-error.ts'
import { invalidSetting } from '../errors.ts'
import { isEmptyByDefault, isList, isQuotedList, splitList } from './setting-list.ts'

/**
 * A value for a setting: text as in `postgresql.conf` (`64MB`), a number in the setting's own unit, a size in bytes, a time
 * in ms, or the names of a list. A result of `settings.get` is also accepted.
 */
export type SettingValue =
  | string
  | number
  | boolean
  | { readonly bytes: number }
  | { readonly ms: number }
  | readonly string[]
  | { readonly value: string | number | boolean | readonly string[] }

/**
 * The strings to put after `SET name TO`, not quoted yet: one string, or one for each name if the list is quoted name by
 * name. `null` for an empty list that can only be empty by not being set.
 *
 * Throws `ERR_CLUSTER_INVALID_SETTING` if the value is invalid.
 */
export function valuesFor(dataDir: string, name: string, value: SettingValue): string[] | null {
  const refuse = (why: string) => invalidSetting(dataDir, name, why)
  if (typeof value === 'object' && 'value' in value) return valuesFor(dataDir, name, value.value)
  if (isQuotedList(name)) {
    const names = typeof value === 'object' ? value : splitList(name, String(value))
    if (names === null) {
      throw refuse(
        'its value is not a list; separate the names by commas, and put odd ones in "quotes"',
      )
    }
    if (!isNames(names)) throw refuse('it takes a list of names, as an array or as text')
    for (const text of names) checkText(text, refuse)
    if (names.length > 0) return [...names]
    return isEmptyByDefault(name) ? null : ['']
  }
  if (isNames(value)) {
    if (!isList(name)) throw refuse('it takes one value, and not a list')
    return [checkText(value.join(', '), refuse)]
  }
  return [checkText(textOf(value, refuse), refuse)]
}

function isNames(value: SettingValue): value is readonly string[] {
  return Array.isArray(value)
}

type Refuse = (why: string) => ClusterError

function textOf(
  value: string | number | boolean | { readonly bytes: number } | { readonly ms: number },
  refuse: Refuse,
): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  const number = typeof value === 'number' ? value : 'bytes' in value ? value.bytes : value.ms
  if (!Number.isFinite(number)) throw refuse(`${number} is not a number that it could have`)
  // A number below zero stands for a word such as "off", and has no unit.
  if (typeof value === 'number' || number < 0) return String(number)
  if ('ms' in value) return `${number}ms`
  // PostgreSQL 10 knows no smaller unit than kB.
  return number % 1024 === 0 ? `${number / 1024}kB` : `${number}B`
}

function checkText(text: string, refuse: Refuse): string {
  if (text.includes('\0')) throw refuse('its value contains a NUL byte')
  if (/\p{Surrogate}/u.test(text)) throw refuse('its value is not valid Unicode')
  return text
}
