import { execFileSync } from 'node:child_process'
import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { freePorts } from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Project } from './project.ts'

const client = (name: string) => [
  process.execPath,
  fileURLToPath(new URL(`clients/${name}.mjs`, import.meta.url)),
]
const psql = ['psql', '-XAtc', 'SELECT current_database()']
const hasPsql = (() => {
  try {
    execFileSync('psql', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
const database = 'app'

describe.each([
  ['by the socket', []],
  ['over TCP', ['--tcp']],
])('what runs under howdah exec connects %s', (way, options) => {
  let project: Project
  /** Listens where a client would look that knows no better. */
  let decoy: Server | null
  let strangers = 0
  const run = (command: string[]) =>
    project.howdah(['exec', ...options, '-d', database, ...command])
  beforeAll(async () => {
    project = new Project()
    decoy = await listen(5432, () => strangers++)
    await project.howdah(['start', ...options])
  })
  afterAll(async () => {
    decoy?.close()
    await project[Symbol.asyncDispose]()
  })

  test.each(
    [
      ['psql', psql, hasPsql],
      [
        'psql, given the URL',
        ['sh', '-c', 'psql "$DATABASE_URL" -XAtc "SELECT current_database()"'],
        hasPsql,
      ],
      ['node-postgres', client('node-postgres'), true],
      ['node-postgres, by the PG* variables', client('node-postgres-by-variables'), true],
      ['TypeORM', client('typeorm'), true],
      ['Drizzle', client('drizzle'), true],
      ['postgres.js, by the PG* variables', client('postgres-js-by-variables'), true],
      ['Drizzle on postgres.js', client('drizzle-on-postgres-js'), true],
      // It does not know of sockets in a URL.
      ['postgres.js', client('postgres-js'), way === 'over TCP'],
    ].filter(([, , possible]) => possible) as [string, string[]][],
  )('%s', async (_, command) => {
    expect(await run(command)).toEqual({ status: 0, stdout: `${database}\n`, stderr: '' })
    expect(strangers).toBe(0)
  })

  test.runIf(way === 'by the socket')(
    'a client that knows no sockets gets a plain error, and no other server',
    async () => {
      const { status, stdout, stderr } = await run(client('postgres-js'))
      expect([status, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(/ECONNREFUSED/)
      expect(strangers).toBe(0)
    },
  )
})

describe('over TCP', () => {
  test('a port can be chosen, and who has no password is refused', async () => {
    await using project = new Project()
    const [port] = await freePorts(1)
    const script =
      'echo "$PGHOST:$PGPORT"; psql -XAtc "SELECT 1"; PGPASSWORD=wrong psql -XAtc "SELECT 2"; exit 0'
    const { stdout, stderr } = await project.howdah([
      'exec',
      '--tcp',
      String(port),
      'sh',
      '-c',
      script,
    ])
    expect(stdout.split('\n')[0]).toBe(`127.0.0.1:${port}`)
    expect.soft(hasPsql ? stderr : 'authentication failed').toMatch(/authentication failed/)
    expect(stdout.split('\n')).not.toContain('2')
  })
})

async function listen(port: number, onStranger: () => void): Promise<Server | null> {
  const server = createServer((socket) => {
    onStranger()
    socket.destroy()
  })
  server.listen(port, '127.0.0.1')
  // If it is taken already, by a PostgreSQL perhaps, it will have to be the decoy.
  const up = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  return up ? server : null
}
