import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Context } from './command.ts'
import { describeServerError } from './describe-server-error.ts'
import { FileError } from './errors.ts'
import { exitStatus, statusOfSignal } from './exit-status.ts'
import type { EndingSignal } from './interruption.ts'
import type { Script } from './options.ts'
import type { QueryRunner } from './query-runner.ts'
import { renderResult } from './result-table.ts'
import { splitStatements } from './split-statements.ts'

/** What psql exits with when a script fails, and ON_ERROR_STOP is set. */
const scriptFailed = 3

/**
 * Runs what `-c` and `-f` say, or else what comes from stdin, statement by statement, up to the first error.
 *
 * The statuses are psql's: 1 after a failed `-c`, 3 after a failed file or stdin.
 */
export async function runScripts(context: Context, runner: QueryRunner): Promise<number> {
  const { io, interruption, options } = context
  let status: number | null = null
  const receive = (signal: EndingSignal) => {
    status ??= statusOfSignal(signal)
    runner.cancel().catch(() => undefined)
    io.stdin.destroy()
  }
  return await interruption.during(receive, async () => {
    for (const script of options.scripts ?? [{ kind: 'file', path: '-' } as const]) {
      const { sql, name } = await read(script, context).catch((error: unknown) => {
        if (status === null) throw error
        return { sql: '', name: null }
      })
      if (status !== null) return status
      const failed = await runScript(sql, name, context, runner)
      if (status !== null) return status
      if (failed) return script.kind === 'command' ? exitStatus.failed : scriptFailed
    }
    return exitStatus.done
  })
}

async function read(
  script: Script,
  { io }: Context,
): Promise<{ sql: string; name: string | null }> {
  if (script.kind === 'command') return { sql: script.sql, name: null }
  if (script.path === '-') return { sql: await text(io.stdin), name: '<stdin>' }
  try {
    return { sql: await readFile(resolve(io.cwd, script.path), 'utf8'), name: script.path }
  } catch (error) {
    throw new FileError(script.path, { cause: error as Error })
  }
}

/** Answers whether it failed. What is not closed by a semicolon at the end is run, too. */
async function runScript(
  sql: string,
  name: string | null,
  { output }: Context,
  runner: QueryRunner,
): Promise<boolean> {
  const { statements, unfinished } = splitStatements(sql)
  for (const { text: statement, line } of unfinished === null
    ? statements
    : [...statements, unfinished]) {
    try {
      for (const result of await runner.run(statement)) await output.line(renderResult(result))
    } catch (error) {
      const where = name === null ? '' : `${name}:${line}: `
      output.complain(where + describeServerError(error as Error, statement))
      return true
    }
  }
  return false
}
