import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { testDatabases } from '../src/index.ts'
import { givenServer } from './support/given-server.ts'
import { ownPlace } from './support/place.ts'
import { writeSuite } from './support/suites.mjs'

ownPlace()

const own = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** A process that runs a suite; what it prints, and how it ends. */
function runSuite(project: string, args: readonly string[], server: string) {
  const env: NodeJS.ProcessEnv = { ...process.env, SUITE_SERVER: server, CI: '1', NO_COLOR: '1' }
  // What the runner of this test tells its own workers.
  for (const name of Object.keys(env))
    if (/^(VITEST|TEST|NODE_ENV|NODE_OPTIONS|NODE_TEST|FORCE_COLOR)/.test(name)) delete env[name]
  const child = spawn(process.execPath, args, { cwd: project, env })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const ended = once(child, 'close').then(() => ({ status: child.exitCode, output }))
  return { child, ended }
}

const isLong = process.env['HOWDAH_TEST_LONG'] === '1'

it.each(['vitest, forks', 'node:test', ...(isLong ? ['vitest, threads'] : [])])(
  'runs 200 tests at a time in two terminals under %s, and again after the runner was killed',
  { timeout: 240_000 },
  async (runner) => {
    await using server = await givenServer(undefined, { max_connections: '200' })
    using home = temporaryDirectory()
    const project = home.file('project')
    mkdirSync(`${project}/node_modules/@howdah`, { recursive: true })
    symlinkSync(own('.'), `${project}/node_modules/@howdah/testing`)
    symlinkSync(own('node_modules/vitest'), `${project}/node_modules/vitest`)
    const args = writeSuite(project, runner)

    const both = [1, 2].map(() => runSuite(project, args, server.url))
    for (const { status, output } of await Promise.all(both.map(({ ended }) => ended))) {
      expect(output).toMatch(/(Tests\s+200 passed|# pass 200|pass 200)/)
      expect(status).toBe(0)
    }

    const killed = runSuite(project, args, server.url)
    await until(
      'tests run',
      async () => {
        const { rows } = await server.superuser.query(
          `SELECT FROM pg_stat_activity WHERE datname LIKE 'howdah_test_%' AND query LIKE 'INSERT%'`,
        )
        return rows.length > 0
      },
      60_000,
    )
    killed.child.kill('SIGKILL')
    await killed.ended
    expect((await runSuite(project, args, server.url).ended).status).toBe(0)

    const databases = testDatabases({ server: server.url })
    await databases.create()
    await databases.end()
    expect(await server.databases('howdah_test_%')).toEqual([])
  },
)
