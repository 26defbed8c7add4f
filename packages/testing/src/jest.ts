import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { TestEnvironment } from 'jest-environment-node'
import { enterEnvironment } from './environment.ts'
import type { PlainOptions } from './plain-options.ts'
import type { TestDatabase } from './test-database.ts'
import { type TestDatabases, testDatabases } from './test-databases.ts'

/** The `testEnvironmentOptions` of the configuration. */
type EnvironmentOptions = PlainOptions & {
  /** A module that exports `testDatabases` as `databases` or by default. Use it if `migrate` is a function. */
  readonly module?: string
  /** Jest's own. */
  readonly exportConditions?: unknown
}

/** A worker runs many files, one after another. Files with the same options share the worker's connections. */
const known = new Map<string, Promise<TestDatabases>>()

/**
 * Jest's Node environment in which each test file has a database of its own: `DATABASE_URL` and `PG*` in its `process.env`
 * are set before the file is imported. If a test fails and `CI` is not set, the file's database is kept: see
 * `TestDatabase.keep`.
 *
 * @example
 * // jest.config.js
 * export default {
 *   testEnvironment: '@howdah/testing/jest',
 *   testEnvironmentOptions: { migrate: 'migrations/*.sql' },
 * }
 */
export default class HowdahEnvironment extends TestEnvironment {
  readonly #options: EnvironmentOptions
  readonly #testPath: string
  readonly #root: string
  #databases: TestDatabases | null = null
  #db: TestDatabase | null = null
  #hasFailed = false

  constructor(
    configuration: {
      projectConfig: { rootDir: string; testEnvironmentOptions: Record<string, unknown> }
    },
    context: { testPath: string },
  ) {
    super(configuration, context)
    const { exportConditions: _, ...options } = configuration.projectConfig
      .testEnvironmentOptions as EnvironmentOptions
    this.#options = options
    this.#root = configuration.projectConfig.rootDir
    this.#testPath = context.testPath
  }

  /** Creates the database of the file, and sets its environment. */
  override async setup(): Promise<void> {
    await super.setup()
    this.#databases = await databasesOf({ root: this.#root, ...this.#options })
    this.#db = await this.#databases.create({ test: this.#testPath })
    enterEnvironment(this.#db.env, this.global.process.env)
  }

  /** Releases the database, or keeps it if a test has failed and `CI` is not set. */
  override async teardown(): Promise<void> {
    if (this.#hasFailed && !process.env['CI']) await this.#db?.keep()
    await this.#db?.release()
    if (isForOneFile(this.#options)) await this.#databases?.end()
    await super.teardown()
  }

  /** Notes whether a test has failed. */
  handleTestEvent(event: { name: string; test?: { errors: unknown[] } }): void {
    if (event.name === 'test_done' && (event.test?.errors.length ?? 0) > 0) this.#hasFailed = true
  }
}

/** Whether the databases end with the file. */
function isForOneFile({ isolation, module }: EnvironmentOptions): boolean {
  return isolation === 'cluster' && module === undefined
}

async function databasesOf(options: EnvironmentOptions): Promise<TestDatabases> {
  if (isForOneFile(options)) return await open(options)
  const key = JSON.stringify(options)
  const databases = known.get(key) ?? open(options)
  known.set(key, databases)
  return await databases
}

async function open({ module, ...options }: EnvironmentOptions): Promise<TestDatabases> {
  if (module === undefined) return testDatabases(options)
  const path = resolve(options.root ?? '.', module.replace('<rootDir>', options.root ?? '.'))
  const found = (await import(pathToFileURL(path).href)) as Record<string, unknown>
  return (found['databases'] ?? found['default']) as TestDatabases
}
