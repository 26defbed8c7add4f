import { isList, splitList } from './setting-list.ts'

/** When a change of a setting takes effect; see "pg_settings" in PostgreSQL's manual. `internal`: never. */
export type SettingContext =
  | 'internal'
  | 'postmaster'
  | 'sighup'
  | 'superuser-backend'
  | 'backend'
  | 'superuser'
  | 'user'

/** The facts about a setting besides its value. */
export interface SettingFacts {
  readonly name: string
  /** The value as `SHOW` has it: `128MB`. */
  readonly text: string
  /** The unit in which PostgreSQL counts it, such as `8kB` or `s`, if it is a quantity. */
  readonly unit: string | null
  readonly context: SettingContext
  /** Whether a change takes effect only when the server is restarted. */
  readonly needsRestart: boolean
  /** Whether a new value waits for a restart. */
  readonly pendingRestart: boolean
  /** Where the value comes from: `default`, `configuration file`, `command line`, `database`, … */
  readonly source: string
  /** Its place in a file, if it comes from one. */
  readonly file: { readonly path: string; readonly line: number } | null
  /** Its value if nobody sets it, in its unit. */
  readonly default: string | null
  /** For numbers, in the unit. */
  readonly minimum: string | null
  readonly maximum: string | null
  readonly category: string
  readonly description: string
}

/** A value by its kind. A quantity below zero stands for a word such as "off" or "automatic", and is left as it is. */
export type TypedValue =
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'memory'; readonly bytes: number }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'enum'; readonly value: string; readonly values: readonly string[] }
  | { readonly kind: 'list'; readonly value: readonly string[] }
  | { readonly kind: 'string'; readonly value: string }

/** A setting of a server, as a connection of ours sees it. */
export type Setting = SettingFacts & TypedValue

/** A row of `pg_settings`. */
export interface SettingRow {
  readonly name: string
  readonly setting: string
  readonly text: string
  readonly unit: string | null
  readonly vartype: string
  readonly enumvals: readonly string[] | null
  readonly context: SettingContext
  readonly source: string
  readonly sourcefile: string | null
  readonly sourceline: number | null
  readonly category: string
  readonly short_desc: string
  readonly boot_val: string | null
  readonly min_val: string | null
  readonly max_val: string | null
  readonly pending_restart: boolean
}

/** Turns a row of `pg_settings` into a typed setting. */
export function settingOf(row: SettingRow): Setting {
  return {
    name: row.name,
    ...valueOf(row),
    text: row.text,
    unit: row.unit,
    context: row.context,
    needsRestart: row.context === 'postmaster',
    pendingRestart: row.pending_restart,
    source: row.source,
    file: row.sourcefile === null ? null : { path: row.sourcefile, line: row.sourceline ?? 0 },
    default: row.boot_val,
    minimum: row.min_val,
    maximum: row.max_val,
    category: row.category,
    description: row.short_desc,
  }
}

function valueOf({ name, setting, unit, vartype, enumvals }: SettingRow): TypedValue {
  if (vartype === 'bool') return { kind: 'boolean', value: setting === 'on' }
  if (vartype === 'enum') return { kind: 'enum', value: setting, values: enumvals ?? [] }
  if (vartype === 'integer' || vartype === 'real') return quantityOf(setting, unit)
  if (isList(name)) return { kind: 'list', value: splitList(name, setting) ?? [setting] }
  return { kind: 'string', value: setting }
}

/** In bytes. "Numeric with Unit" in PostgreSQL's manual: the multiplier is 1024. */
const memoryUnits: ReadonlyMap<string, number> = new Map([
  ['B', 1],
  ['kB', 2 ** 10],
  ['MB', 2 ** 20],
  ['GB', 2 ** 30],
  ['TB', 2 ** 40],
])

/** In ms. */
const timeUnits: ReadonlyMap<string, number> = new Map([
  ['us', 0.001],
  ['ms', 1],
  ['s', 1000],
  ['min', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

function quantityOf(setting: string, unit: string | null): TypedValue {
  // Permissions are shown in octal.
  const number = /^0[0-7]+$/.test(setting) ? Number.parseInt(setting, 8) : Number(setting)
  const [, count = '', name = ''] = /^(\d*)([A-Za-z]+)$/.exec(unit ?? '') ?? []
  const scale = (size: number) => (number < 0 ? number : number * Number(count || 1) * size)
  const memory = memoryUnits.get(name)
  if (memory !== undefined) return { kind: 'memory', bytes: scale(memory) }
  const time = timeUnits.get(name)
  if (time !== undefined) return { kind: 'time', ms: scale(time) }
  return { kind: 'number', value: number }
}
