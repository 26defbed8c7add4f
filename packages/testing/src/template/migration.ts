import { join, resolve } from 'node:path'
import type pg from 'pg'
import { isConnection } from '../environment.ts'
import { TestingError } from '../errors.ts'
import type { Migration } from '../options.ts'
import type { TestServer } from '../server/test-server.ts'
import { findFiles, readText } from './key-files.ts'

/** How many lines of a command's output its error shows. */
const shown = 30

/** The argument of `migrate` and `seed` for a database. */
export function migrationOf(
  server: TestServer,
  database: string,
  client: pg.Client,
  givenRoot: string | undefined,
): Migration {
  const root = resolve(givenRoot ?? '.')
  const env = server.env(database)
  return {
    url: server.url(database),
    env,
    client,
    async exec(command, args = []) {
      const { execa } = await import('execa')
      const base = withoutConnection(process.env)
      const PATH = server.path(base) ?? process.env['PATH']
      const result = await execa(command, args, {
        cwd: root,
        env: { ...base, ...env, ...(PATH !== undefined && { PATH }) },
        extendEnv: false,
        preferLocal: true,
        localDir: root,
        stdin: 'ignore',
        all: true,
        reject: false,
      })
      if (!result.failed) return
      const end = result.all.trimEnd().split('\n').slice(-shown).join('\n')
      const how = result.exitCode === undefined ? 'failed' : `ended with status ${result.exitCode}`
      const words = end === '' ? (result.originalMessage ?? '') : end
      throw new TestingError(
        'ERR_TESTING_MIGRATE',
        `${[command, ...args].join(' ')} ${how}:\n${words}`,
      )
    },
    async sql(pattern) {
      for (const file of await findFiles([pattern].flat(), root))
        await runFile(client, file, await readText(root, file), root)
    },
  }
}

async function runFile(client: pg.Client, file: string, text: string, root: string): Promise<void> {
  try {
    await client.query(text)
  } catch (cause) {
    const { position, message } = cause as pg.DatabaseError
    const line =
      position === undefined ? null : text.slice(0, Number(position) - 1).split('\n').length
    const place = join(root, file) + (line === null ? '' : `:${line}`)
    throw new TestingError('ERR_TESTING_MIGRATE', `${place}: ${message}`, { cause })
  }
}

/** The environment without variables that lead to another server. */
function withoutConnection(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isConnection(name)))
}
