import { afterAll, expect, inject } from 'vitest'
import { enterEnvironment } from './environment.ts'
import type { PlainOptions } from './plain-options.ts'
import type { TestDatabase } from './test-database.ts'
import { type TestDatabases, testDatabases } from './test-databases.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** What the databases of test files are made of, if `@howdah/testing/vitest` is one of the `setupFiles`. */
    testDatabases?: PlainOptions
  }
}

/**
 * Gives the test file that runs a database of its own, until its end, and has `DATABASE_URL` and `PG*` in `process.env` lead
 * there. To be awaited in a file of `setupFiles`, so that code which reads them when it is imported finds them.
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

/** With `isolate: false`, vitest loads this file again for each test file, and the connections of the first can go on. */
const known = Symbol.for('@howdah/testing/vitest')
const shared = globalThis as { [known]?: Map<string, TestDatabases> }

const options = inject('testDatabases')
if (options?.isolation === 'cluster') {
  const databases = testDatabases(options)
  // Runs after that of the database: the last one first.
  afterAll(async () => await databases.end())
  await databasePerFile(databases)
} else if (options !== undefined) {
  const all = (shared[known] ??= new Map())
  const key = JSON.stringify(options)
  const databases = all.get(key) ?? testDatabases(options)
  all.set(key, databases)
  await databasePerFile(databases)
}
