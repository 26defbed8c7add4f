// Suites of tests, in at most eight files, for each test runner; each test writes a row and finds no other. For tests of this package, and for
// `scripts/try-examples.mjs`, which installs the runners.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const filesOf = (tests) => Math.min(8, Math.ceil(tests / 8))
/** Fewer than there are files, so that some of them take another file. */
const workersFor = (files) => Math.ceil(files / 2)

const databases = `
import { appendFileSync } from 'node:fs'
import { testDatabases } from '@howdah/testing'
export const databases = testDatabases({
  name: 'suite',
  migrate: async ({ client }) => await client.query('CREATE TABLE rows (id serial PRIMARY KEY, test text)'),
  server: process.env.SUITE_SERVER,
})
export async function use(db, test) {
  const { rows } = await db.query('INSERT INTO rows (test) VALUES ($1) RETURNING id, (SELECT count(*)::int FROM rows) AS before', [test])
  if (process.env.SUITE_PROGRESS) appendFileSync(process.env.SUITE_PROGRESS, 'x\\n')
  if (rows[0].id !== 1 || rows[0].before !== 0) throw new Error('somebody else was here: ' + JSON.stringify(rows))
}
`

const hooks = `
let db
beforeEach(async () => { db = await databases.create() })
afterEach(async () => await db.release())
`

const withHooks = (head) => (name, tests) =>
  `${head}\nimport { databases, use } from './databases.mjs'\n${hooks}
for (let n = 0; n < ${tests}; n += 1) test('${name} ' + n, async () => await use(db, '${name}'))`

const withFixture = (module, type) => (name, tests) =>
  `import { test as base } from '${module}'\nimport { fixture } from '@howdah/testing'\nimport { databases, use } from './databases.mjs'
const test = base.extend({ db: fixture(databases) })
for (let n = 0; n < ${tests}; n += 1) test('${name} ' + n, async ({ db }${type}) => await use(db, '${name}'))`

/** For the options of vitest: our package is loaded as one that is installed, and not transformed in each worker. */
export const installed = String.raw`server: { deps: { external: [/\/dist\//] } }`

const vitest = (pool, workers) => ({
  suffix: '.test.mjs',
  write: withFixture('vitest', ''),
  files: {
    'vitest.config.mjs': `export default { test: { pool: '${pool}', maxWorkers: ${workers}, ${installed} } }`,
  },
  command: ['node_modules/vitest/vitest.mjs', 'run'],
})

/** For each runner: how a file of tests is written, and what runs them in so many workers. */
const suitesWith = (workers) => ({
  'vitest, forks': vitest('forks', workers),
  'vitest, threads': vitest('threads', workers),
  'node:test': {
    suffix: '.test.mjs',
    write: withHooks(`import { afterEach, beforeEach, test } from 'node:test'`),
    command: ['--test', `--test-concurrency=${workers}`],
    namesFiles: true,
  },
  jest: {
    suffix: '.test.mjs',
    write: withHooks(''),
    files: {
      'jest.config.mjs': `export default { testMatch: ['**/*.test.mjs'], maxWorkers: ${workers}, transform: {} }`,
    },
    command: ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js'],
  },
  mocha: {
    suffix: '.spec.mjs',
    write: withHooks('const test = it'),
    command: [
      'node_modules/mocha/bin/mocha.js',
      '--parallel',
      '--jobs',
      String(workers),
      '--timeout',
      '60000',
      '*.spec.mjs',
    ],
  },
  ava: {
    suffix: '.ava.mjs',
    write: (
      name,
      tests,
    ) => `import test from 'ava'\nimport { databases, use } from './databases.mjs'
for (let n = 0; n < ${tests}; n += 1) test('${name} ' + n, async (t) => {
  const db = await databases.create()
  t.teardown(async () => await db.release())
  await use(db, '${name}')
  t.pass()
})`,
    files: {
      'ava.config.mjs': `export default { files: ['*.ava.mjs'], concurrency: ${workers}, timeout: '2m' }`,
    },
    command: ['node_modules/ava/entrypoints/cli.mjs'],
  },
  Playwright: {
    suffix: '.spec.mjs',
    write: withFixture('@playwright/test', ''),
    files: {
      'playwright.config.mjs': `export default { workers: ${workers}, fullyParallel: true, reporter: 'line' }`,
    },
    command: ['node_modules/@playwright/test/cli.js', 'test'],
  },
})

/** The names of the runners that there are suites for. */
export const runners = Object.keys(suitesWith(1))

/** Writes the suite of a runner, of so many tests, into a project, and gives the arguments of Node that run it. */
export function writeSuite(project, runner, tests = 200) {
  const files = filesOf(tests)
  const suite = suitesWith(workersFor(files))[runner]
  const { suffix, write, files: more = {}, command, namesFiles = false } = suite
  mkdirSync(project, { recursive: true })
  const all = { 'package.json': '{ "type": "module" }', 'databases.mjs': databases, ...more }
  const names = Array.from({ length: files }, (_, n) => `suite${n}${suffix}`)
  for (const [n, name] of names.entries()) all[name] = write(`file ${n}`, tests / names.length)
  for (const [name, text] of Object.entries(all)) writeFileSync(join(project, name), text)
  return namesFiles ? [...command, ...names] : command
}
