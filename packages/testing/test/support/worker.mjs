// A process that uses databases of tests. Its argument is JSON: the options, and which PostgreSQL. It says "ready", then answers
// each line of its standard input, a piece of JavaScript on `databases` and `held`, with a line of JSON.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { bundled, onPath } from '@howdah/runtime'
import { testDatabases } from '../../dist/index.js'

const { options, postgres, slow, halts } = JSON.parse(process.argv[2])
const strategy =
  'package' in postgres ? bundled({ packages: [postgres.package] }) : onPath([postgres.bindir])
const { root } = options
/** Leaves a line for each time that it is run. */
const migrate = async ({ client }) => {
  appendFileSync(join(root, 'migrated'), `${process.pid}\n`)
  await client.query('CREATE TABLE t (n int PRIMARY KEY)')
  // The first that comes is slow, whose killing others have to outlive.
  const isFirst = readFileSync(join(root, 'migrated'), 'utf8').split('\n').length === 2
  if (slow && isFirst) await client.query('SELECT pg_sleep($1)', [slow])
  // It leaves its connections alone until there is a file.
  if (halts) while (!existsSync(join(root, 'go'))) await sleep(10)
}
const databases = testDatabases({
  migrate,
  strategy,
  onNotice: (notice) => say({ notice }),
  ...options,
})
/** For the pieces of JavaScript. */
const held = []
const run = new (Object.getPrototypeOf(async () => undefined).constructor)(
  'databases',
  'held',
  'text',
  'return await eval(text)',
)

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

say({ ready: true })
for await (const line of createInterface(process.stdin)) {
  try {
    say({ value: (await run(databases, held, `(async () => (${line}))()`)) ?? null })
  } catch (error) {
    say({ error: { code: error.code, message: error.message } })
  }
}
await databases.end()
