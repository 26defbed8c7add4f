import type { MigrateCommand, TestDatabasesOptions } from './options.ts'

/** The options that can be in the configuration of a test runner, which passes them on as JSON. */
export type PlainOptions = Omit<
  TestDatabasesOptions,
  'migrate' | 'seed' | 'runtime' | 'strategy' | 'onNotice'
> & {
  readonly migrate?: string | MigrateCommand | undefined
  readonly seed?: string | undefined
  readonly runtime?: number | string | undefined
}
