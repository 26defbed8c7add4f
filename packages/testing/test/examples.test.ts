import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { expect, it } from 'vitest'
import { ownPlace } from './support/place.ts'

ownPlace()

const from = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** `pnpm try:examples` runs them all. */
it.each(['node-test', 'vitest', 'lock-in-cli', 'lease-in-cron'])(
  'examples/%s passes its own tests',
  async (name) => {
    using home = temporaryDirectory()
    const project = home.file('project')
    cpSync(from(`../../examples/${name}`), project, { recursive: true })
    mkdirSync(`${project}/node_modules/@howdah`, { recursive: true })
    for (const one of ['testing', 'lock', 'lease'])
      symlinkSync(from(`../${one}`), `${project}/node_modules/@howdah/${one}`)
    for (const one of ['pg', 'vitest'])
      symlinkSync(from(`node_modules/${one}`), `${project}/node_modules/${one}`)
    const { bindir } = (await newest.strategy.fallback()) ?? { bindir: '' }
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      CI: '1',
      PATH: `${bindir}:${process.env['PATH']}`,
    }
    for (const variable of Object.keys(env))
      if (/^(VITEST|TEST|NODE_ENV|NODE_OPTIONS|NODE_TEST)/.test(variable)) delete env[variable]
    const { scripts } = JSON.parse(readFileSync(`${project}/package.json`, 'utf8')) as {
      scripts: { test: string }
    }
    const command = scripts.test.replace(/^vitest/, 'node node_modules/vitest/vitest.mjs')
    const { stdout } = await promisify(execFile)('sh', ['-c', command], { cwd: project, env })
    expect(stdout).toMatch(/(# pass 3|pass 3|4 passed)/)
  },
)

/** Applications, which npm installs, in a minute each. */
const isLong = process.env['HOWDAH_TEST_LONG'] === '1'

it.runIf(isLong).each(['fastify', 'next'])(
  'examples/%s passes its own tests with all that it installs',
  { timeout: 300_000 },
  async (name) => {
    const script = from('../../scripts/try-examples.mjs')
    const { stdout } = await promisify(execFile)(process.execPath, [script, name])
    expect(stdout).toContain(`works  ${name}`)
  },
)
