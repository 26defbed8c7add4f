import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Context } from './command.ts'
import { describeServerError } from './describe-server-error.ts'
import { exitStatus, statusOfSignal } from './exit-status.ts'
import { asksToEnd, type PassedSignal } from './interruption.ts'
import type { Script } from './options.ts'
import type { QueryRunner } from './query-runner.ts'
import { renderResult } from './result-table.ts'
import { splitStatements } from './split-statements.ts'

/** What psql exits with when a script fails, and ON_ERROR_STOP is set. */
const scriptFailed = 3

/** What a script says, and how to call it in messages. */
interface Source {
  readonly sql: string
  readonly name: string | null
}

/**
 * Runs what `-c` and `-f` say, or else what comes from stdin, statement by statement, up to the first error.
 *
 * The statuses are psql's: 1 after a failed `-c` or a file that cannot be read, 3 after a failed file or stdin.
 */
export async function runScripts(context: Context, runner: QueryRunner): Promise<number> {
  const { io, interruption, options, output } = context
  let signalled: number | null = null
  const receive = (signal: PassedSignal) => {
    if (!asksToEnd(signal)) return
    signalled ??= statusOfSignal(signal)
    runner.cancel().catch(() => undefined)
    io.stdin.destroy()
  }
  const run = async () => {
    for (const script of options.scripts ?? [{ kind: 'file', path: '-' } as const]) {
      let source: Source
      try {
        source = await read(script, context)
      } catch (error) {
        output.complain(`howdah: cannot read ${nameOf(script)}: ${(error as Error).message}`)
        return exitStatus.failed
      }
      if (await fails(source, context, runner)) {
        return script.kind === 'command' ? exitStatus.failed : scriptFailed
      }
    }
    return exitStatus.done
  }
  const status = await interruption.during(receive, run)
  return signalled ?? status
}

async function read(script: Script, { io }: Context): Promise<Source> {
  if (script.kind === 'command') return { sql: script.sql, name: null }
  const sql =
    script.path === '-'
      ? await text(io.stdin)
      : await readFile(resolve(io.cwd, script.path), 'utf8')
  return { sql, name: nameOf(script) }
}

function nameOf(script: Script): string {
  if (script.kind === 'command') return 'the command'
  return script.path === '-' ? '<stdin>' : script.path
}

/** Runs a script up to its first error, and answers whether there was one. A last statement needs no semicolon. */
async function fails(
  { sql, name }: Source,
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
