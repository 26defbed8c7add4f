/** The separator that `fieldsep_zero` and `recordsep_zero` stand for. */
export const zero = '\0'

/** How tables are printed: the settings of `\pset`. */
export interface PrintOptions {
  format: 'aligned' | 'unaligned' | 'csv'
  expanded: 'on' | 'off' | 'auto'
  /** 0, 1 or 2; more means 2. */
  border: number
  lineStyle: 'ascii' | 'unicode'
  /** What is printed for NULL. */
  null: string
  tuplesOnly: boolean
  /** Whether the number of rows is printed. */
  footer: boolean
  title: string | null
  fieldSeparator: string
  recordSeparator: string
  csvFieldSeparator: string
  pager: 'on' | 'off' | 'always'
  /** The pager is not used for fewer lines. */
  pagerMinLines: number
  /** The width for `expanded auto`, in columns; 0 means that of the terminal. */
  columns: number
}

/** The settings to begin with. */
export function defaultPrintOptions(): PrintOptions {
  return {
    format: 'aligned',
    expanded: 'off',
    border: 1,
    lineStyle: 'ascii',
    null: '',
    tuplesOnly: false,
    footer: true,
    title: null,
    fieldSeparator: '|',
    recordSeparator: '\n',
    csvFieldSeparator: ',',
    pager: 'on',
    pagerMinLines: 0,
    columns: 0,
  }
}
