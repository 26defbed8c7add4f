import { afterAll, expect, inject } from 'vitest'
import { enterEnvironment } from './environment.ts'
import type { PlainOptions } from './plain-options.ts'
import type { TestDatabase } from './test-database.ts'
import { type TestDatabases, testDatabases } from './test-databases.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The options for the databases of test files, if `@howdah/testing/vitest` is one of the `setupFiles`. */
    testDatabases?: PlainOptions
  }
}

/**
 * Gives the running test file a database of its own until its end, and sets `DATABASE_URL` and `PG*` in `process.env`. Await
 * it in a file of `setupFiles`, so that code that reads the variables at its import finds them.
 */
export async function databasePerFile(databases: TestDatabases): Promise<TestDatabase> {
  const db = await databases.create({ test: expect.getState().testPath })
  const leave = enterEnvironment(db.env, process.env)
  afterAll(async () => {
    leave()
    await db.release()
  })
  return db
}

/**
 * Kept on `globalThis`, because with `isolate: false` vitest loads this file again for each test file, and the first
 * connections can be used again.
 */
const known = Symbol.for('@howdah/testing/vitest')
const shared = globalThis as { [known]?: Map<string, TestDatabases> }

const options = inject('testDatabases')
if (options?.isolation === 'cluster') {
  const databases = testDatabases(options)
  // This hook runs after the database's own, because the last hook runs first.
  afterAll(async () => await databases.end())
  await databasePerFile(databases)
} else if (options !== undefined) {
  const all = (shared[known] ??= new Map())
  const key = JSON.stringify(options)
  const databases = all.get(key) ?? testDatabases(options)
  all.set(key, databases)
  await databasePerFile(databases)
}
