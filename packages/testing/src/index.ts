export { TestingError, type TestingErrorCode } from './errors.ts'
export { type Fixture, fixture, type FixtureOptions } from './fixture.ts'
export type {
  KeyValue,
  Migrate,
  MigrateCommand,
  Migration,
  TestDatabasesOptions,
} from './options.ts'
export type { PlainOptions } from './plain-options.ts'
export { TestDatabase } from './test-database.ts'
export { type CreateOptions, TestDatabases, testDatabases } from './test-databases.ts'
