import { ShellError } from '../errors.ts'
import { type PrintOptions, zero } from '../printing/print-options.ts'
import { booleanOf } from '../state/boolean.ts'

/** A setting of `\pset`. */
interface Setting {
  /** Sets it to a value, or without one to the other of two. Throws if there is no such value. */
  set(options: PrintOptions, value: string | null): void
  /** A sentence about its value. */
  describe(options: PrintOptions): string
  /** Nothing is said when it is set to a value. */
  readonly isSilent?: true
  /** Its value in the list. */
  show(options: PrintOptions): string
}

type SwitchName = 'footer' | 'tuplesOnly'
type NumberName = 'border' | 'columns' | 'pagerMinLines'
type TextName = 'null' | 'csvFieldSeparator'

const formats = ['aligned', 'csv', 'unaligned'] as const
const lineStyles = ['ascii', 'unicode'] as const

const settings: ReadonlyMap<string, Setting> = new Map<string, Setting>([
  ['border', number('border', (value) => `Border style is ${value}.`)],
  [
    'columns',
    number('columns', (value) =>
      value === 0 ? 'Target width is unset.' : `Target width is ${value}.`,
    ),
  ],
  [
    'csv_fieldsep',
    {
      set(options, value) {
        if (value === null) return
        if (value.length !== 1)
          throw new ShellError(String.raw`\pset: csv_fieldsep must be a single one-byte character`)
        if (/["\n\r]/.test(value))
          throw new ShellError(
            String.raw`\pset: csv_fieldsep cannot be a double quote, a newline, or a carriage return`,
          )
        options.csvFieldSeparator = value
      },
      describe: (options) => `Field separator for CSV is "${options.csvFieldSeparator}".`,
      show: (options) => quoted(options.csvFieldSeparator),
    },
  ],
  [
    'expanded',
    {
      set(options, value) {
        if (value === null) options.expanded = options.expanded === 'off' ? 'on' : 'off'
        else if (value === 'auto') options.expanded = 'auto'
        else {
          const wanted = booleanOf(value)
          if (wanted === null)
            throw new ShellError(
              `unrecognized value "${value}" for "expanded"\nAvailable values are: on, off, auto.`,
            )
          options.expanded = wanted ? 'on' : 'off'
        }
      },
      describe: ({ expanded }) =>
        expanded === 'auto'
          ? 'Expanded display is used automatically.'
          : `Expanded display is ${expanded}.`,
      show: ({ expanded }) => expanded,
    },
  ],
  ['fieldsep', separator('fieldSeparator', 'Field')],
  ['fieldsep_zero', zeroSeparator('fieldSeparator', 'Field')],
  ['footer', toggle('footer', 'footer', 'Default footer')],
  [
    'format',
    {
      set(options, value) {
        if (value === null) return
        const format = formats.find((one) => one.startsWith(value.toLowerCase()))
        if (format === undefined || value === '')
          throw new ShellError(
            String.raw`\pset: ` +
              `format ${value} is not known here; there are ${formats.join(', ')}`,
          )
        options.format = format
      },
      describe: ({ format }) => `Output format is ${format}.`,
      show: ({ format }) => format,
    },
  ],
  [
    'linestyle',
    {
      set(options, value) {
        if (value === null) return
        const found = lineStyles.find((one) => one.startsWith(value.toLowerCase()))
        if (found === undefined || value === '')
          throw new ShellError(
            String.raw`\pset: ` +
              `line style ${value} is not known here; there are ${lineStyles.join(', ')}`,
          )
        options.lineStyle = found
      },
      describe: ({ lineStyle }) => `Line style is ${lineStyle}.`,
      show: ({ lineStyle }) => lineStyle,
    },
  ],
  ['null', text('null', (value) => `Null display is "${value}".`)],
  [
    'pager',
    {
      set(options, value) {
        if (value === 'always') options.pager = 'always'
        else if (value === null) options.pager = options.pager === 'on' ? 'off' : 'on'
        else options.pager = switched('pager', value) ? 'on' : 'off'
      },
      describe: ({ pager }) =>
        ({
          on: 'Pager is used for long output.',
          off: 'Pager usage is off.',
          always: 'Pager is always used.',
        })[pager],
      show: ({ pager }) => String({ off: 0, on: 1, always: 2 }[pager]),
    },
  ],
  [
    'pager_min_lines',
    number(
      'pagerMinLines',
      (value) => `Pager won't be used for less than ${value} ${value === 1 ? 'line' : 'lines'}.`,
    ),
  ],
  ['recordsep', separator('recordSeparator', 'Record')],
  ['recordsep_zero', zeroSeparator('recordSeparator', 'Record')],
  [
    'title',
    {
      set: (options, value) => {
        options.title = value
      },
      describe: ({ title }) => (title === null ? 'Title is unset.' : `Title is "${title}".`),
      show: ({ title }) => (title === null ? '' : quoted(title)),
    },
  ],
  ['tuples_only', toggle('tuplesOnly', 'tuples_only', 'Tuples only')],
])

const aliases: ReadonlyMap<string, string> = new Map([
  ['x', 'expanded'],
  ['vertical', 'expanded'],
  ['t', 'tuples_only'],
  ['C', 'title'],
])

/** Sets a setting of `\pset`. Without a value, a switch is turned over. Throws if there is no such setting or value. */
export function setPrintOption(options: PrintOptions, name: string, value: string | null): void {
  settingOf(name).set(options, value)
}

/** A sentence about a setting that was set; `null` after a value for a plain switch, of which psql says nothing. */
export function describePrintOption(
  options: PrintOptions,
  name: string,
  value: string | null,
): string | null {
  const setting = settingOf(name)
  return setting.isSilent === true && value !== null ? null : setting.describe(options)
}

/** All settings, one on a line. */
export function listPrintOptions(options: PrintOptions): string {
  return [...settings]
    .map(([name, setting]) => `${name.padEnd(24)} ${setting.show(options)}\n`)
    .join('')
}

function settingOf(name: string): Setting {
  const setting = settings.get(aliases.get(name) ?? name)
  if (setting === undefined) throw new ShellError(String.raw`\pset: unknown option: ` + name)
  return setting
}

function switched(name: string, value: string): boolean {
  const found = booleanOf(value)
  if (found === null)
    throw new ShellError(`unrecognized value "${value}" for "${name}": Boolean expected`)
  return found
}

function toggle(key: SwitchName, name: string, label: string): Setting {
  const word = (options: PrintOptions) => (options[key] ? 'on' : 'off')
  return {
    isSilent: true,
    set(options, value) {
      options[key] = value === null ? !options[key] : switched(name, value)
    },
    describe: (options) => `${label} is ${word(options)}.`,
    show: word,
  }
}

function number(key: NumberName, describe: (value: number) => string): Setting {
  return {
    set(options, value) {
      if (value !== null) options[key] = Number.parseInt(value, 10) || 0
    },
    describe: (options) => describe(options[key]),
    show: (options) => String(options[key]),
  }
}

function text(key: TextName, describe: (value: string) => string): Setting {
  return {
    set(options, value) {
      if (value !== null) options[key] = value
    },
    describe: (options) => describe(options[key]),
    show: (options) => quoted(options[key]),
  }
}

function separator(key: 'fieldSeparator' | 'recordSeparator', label: string): Setting {
  return {
    set(options, value) {
      if (value !== null) options[key] = value
    },
    describe: (options) => describeSeparator(label, options[key]),
    show: (options) => quoted(options[key] === zero ? '' : options[key]),
  }
}

function zeroSeparator(key: 'fieldSeparator' | 'recordSeparator', label: string): Setting {
  return {
    set(options) {
      options[key] = zero
    },
    describe: (options) => describeSeparator(label, options[key]),
    show: (options) => (options[key] === zero ? 'on' : 'off'),
  }
}

function describeSeparator(label: string, value: string): string {
  if (value === zero) return `${label} separator is zero byte.`
  if (value === '\n') return `${label} separator is <newline>.`
  return `${label} separator is "${value}".`
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", String.raw`\'`).replaceAll('\n', String.raw`\n`)}'`
}
