import type { Io } from '../io.ts'

/** The name of the database from the environment. */
export function databaseName(env: Io['env']): string {
  const name = env['PGDATABASE']
  return name === undefined || name === '' ? 'postgres' : name
}
