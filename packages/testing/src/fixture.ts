import type { TestDatabase } from './test-database.ts'
import type { TestDatabases } from './test-databases.ts'

/** Options of a fixture. */
export interface FixtureOptions<Scope> {
  /** For each test, for each file (vitest), or for each worker; each test by default. */
  readonly scope?: Scope | undefined
  /** Keep the databases of so many tests that fail, in each worker: 3 by default, and 0 if `CI` is set. */
  readonly keepFailed?: number | undefined
}

/** The function that both runners call: vitest passes the test's context first, Playwright the test's information last. */
type Provide = (
  context: object,
  use: (db: TestDatabase) => Promise<void>,
  info?: unknown,
) => Promise<void>

/** The value for `test.extend`. */
export type Fixture<Scope> = [Provide, { scope: Scope }]

/**
 * A fixture for `test.extend` of vitest and of Playwright: a database for each test that asks for it. The database of a test that
 * fails is kept, and the command that opens a shell on it is printed.
 *
 * @example
 * export const test = base.extend<{ db: TestDatabase }>({ db: fixture(databases) })
 * test('counts', async ({ db }) => { await db.query('SELECT 1') })
 */
export function fixture<Scope extends 'test' | 'file' | 'worker' = 'test'>(
  databases: TestDatabases,
  options: FixtureOptions<Scope> = {},
): Fixture<Scope> {
  const { scope = 'test' as Scope } = options
  const most = options.keepFailed ?? (process.env['CI'] ? 0 : 3)
  let kept = 0
  // Both runners read the source of the function, and insist on a pattern as its first parameter.
  async function provide(
    // oxlint-disable-next-line no-empty-pattern
    {}: object,
    use: (db: TestDatabase) => Promise<void>,
    info?: unknown,
  ): Promise<void> {
    // oxlint-disable-next-line prefer-rest-params
    const test = testOf(arguments[0], info)
    const db = await databases.create({ test: test.name })
    try {
      await use(db)
    } finally {
      if (kept < most && test.hasFailed()) {
        kept += 1
        await db.keep()
      }
      await db.release()
    }
  }
  return [provide, { scope }]
}

interface RunningTest {
  readonly name: string | undefined
  hasFailed(): boolean
}

/** The running test. A fixture for files or workers has none. */
function testOf(context: unknown, info: unknown): RunningTest {
  const { task } = context as { task?: { name?: string; result?: { state?: string } } }
  const playwright = info as
    | { title?: string; status?: string; expectedStatus?: string }
    | undefined
  return {
    name: task?.name ?? playwright?.title,
    hasFailed: () =>
      task?.result?.state === 'fail' ||
      (playwright?.status !== undefined && playwright.status !== playwright.expectedStatus),
  }
}
