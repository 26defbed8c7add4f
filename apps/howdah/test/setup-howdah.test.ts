import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ReadersProject } from './readmes/readers-project.ts'

const action = new URL('../../../.github/actions/setup-howdah/action.yml', import.meta.url)

/** The script of the action's only step. */
const [, script = ''] = /run: \|\n((?: {8}.*\n)+)/.exec(readFileSync(action, 'utf8')) ?? []

/** A later step: connects by the URL, and by the PG* variables. */
const later = `
const { createRequire } = require('node:module')
const { Client } = createRequire(require.resolve('howdah/package.json'))('pg')
async function check(...args) {
  const client = new Client(...args)
  await client.connect()
  const { rows } = await client.query('SELECT current_database() AS name, inet_server_port() AS port')
  await client.end()
  if (rows[0].name !== 'app' || rows[0].port === null) throw new Error(JSON.stringify(rows))
}
check(process.env.DATABASE_URL).then(() => check())
`

it('lets the steps after setup-howdah connect', { timeout: 120_000 }, async () => {
  const project = new ReadersProject({
    'setup.sh': script.replaceAll(/^ {8}/gm, ''),
    'later.cjs': later,
  })
  const code = `
    VERSION= DATABASE=app HOWDAH=howdah GITHUB_ENV=variables bash -eo pipefail setup.sh
    node --env-file=variables later.cjs`
  try {
    const steps = { title: 'setup-howdah', reason: null, language: 'sh', code }
    await expect(project.run(steps)).resolves.toBeUndefined()
  } finally {
    await project.leave()
  }
})
