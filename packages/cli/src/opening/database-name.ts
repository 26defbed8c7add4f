import type { Context } from '../program/command.ts'

/** The database that is asked for, by option or environment. */
export function databaseName({ io, options }: Context): string {
  const name = options.database ?? io.env['PGDATABASE']
  return name === undefined || name === '' ? 'postgres' : name
}
