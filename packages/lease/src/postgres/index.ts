export { createPostgresLeaser, type PostgresLeaserOptions } from './create-postgres-leaser.ts'
export type { Queryable } from './queryable.ts'
