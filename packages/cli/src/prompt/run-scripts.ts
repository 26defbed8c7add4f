import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { Context } from '../program/command.ts'
import { describeServerError } from '../opening/describe-server-error.ts'
import { exitStatus, statusOfSignal } from '../exit-status.ts'
import { asksToEnd, type PassedSignal } from '../running/interruption.ts'
import type { Script } from '../program/options.ts'
import type { QueryRunner } from './query-runner.ts'
import { renderResult } from './result-table.ts'
import { splitStatements, type Statement } from './split-statements.ts'
import { fullPath } from '../program/working-directory.ts'

/** The exit status of psql when a script fails and ON_ERROR_STOP is set. */
const scriptFailed = 3

/** The SQL of a script, and its name in messages. */
interface Source {
  readonly sql: string
  readonly name: string | null
}

/**
 * Runs the SQL of `-c` and `-f`, or else of stdin, statement by statement, up to the first error.
 *
 * The statuses are psql's: 1 after a failed `-c` or an unreadable file, 3 after a failed file or stdin.
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
        source = await sourceOf(script, context)
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

async function sourceOf(script: Script, { io }: Context): Promise<Source> {
  if (script.kind === 'command') return { sql: script.sql, name: null }
  const sql =
    script.path === '-' ? await text(io.stdin) : await readFile(fullPath(io, script.path), 'utf8')
  return { sql, name: nameOf(script) }
}

function nameOf(script: Script): string {
  if (script.kind === 'command') return 'the command'
  return script.path === '-' ? '<stdin>' : script.path
}

/** Runs a script up to its first error. Returns whether there was an error. The last statement needs no semicolon. */
async function fails(
  { sql, name }: Source,
  { io, output }: Context,
  runner: QueryRunner,
): Promise<boolean> {
  let begin = 0
  let line = 1
  const next = (): readonly Statement[] => {
    const { statements, unfinished } = splitStatements(sql.slice(begin))
    return unfinished === null ? statements : [...statements, unfinished]
  }
  for (let statements = next(); statements.length > 0;) {
    const [statement, ...others] = statements as [Statement, ...Statement[]]
    statements = others
    // As in psql, the data of COPY follows in the same file; for a `-c` command it comes from stdin.
    const read = () => {
      if (name === null) return io.stdin
      const { data, end } = copyData(sql, begin + statement.end)
      line += countLines(sql.slice(begin, end))
      begin = end
      statements = next()
      return [data]
    }
    const at = line + statement.line - 1
    try {
      for (const result of await runner.run(statement.text, { read }))
        await output.line(renderResult(result))
    } catch (error) {
      const where = name === null ? '' : `${name}:${at}: `
      output.complain(where + describeServerError(error as Error, statement.text))
      return true
    }
  }
  return false
}

/** The lines after a statement up to `\\.`, and the position after them. */
function copyData(sql: string, from: number): { data: string; end: number } {
  const lineEnd = sql.indexOf('\n', from)
  const begin = lineEnd === -1 ? sql.length : lineEnd + 1
  const mark = /^\\\.\r?(?:\n|$)/gm
  mark.lastIndex = begin
  const found = mark.exec(sql)
  if (found === null) return { data: sql.slice(begin), end: sql.length }
  return { data: sql.slice(begin, found.index), end: mark.lastIndex }
}

function countLines(lines: string): number {
  return lines.split('\n').length - 1
}
