import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { describeServerError } from './describe-server-error.ts'
import { exitStatus, statusOfSignal } from './exit-status.ts'
import type { Host, Script } from './host.ts'
import type { QueryRunner } from './query-runner.ts'
import { renderResult } from './result-table.ts'
import { splitStatements, type Statement } from './split-statements.ts'

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
export async function runScripts(
  host: Host,
  scripts: readonly Script[] = [{ kind: 'file', path: '-' }],
  runner: QueryRunner,
): Promise<number> {
  let signalled: number | null = null
  const receive = (signal: NodeJS.Signals) => {
    const status = statusOfSignal(signal)
    if (status === null) return
    signalled ??= status
    runner.cancel().catch(() => undefined)
    host.stdin.destroy()
  }
  const run = async () => {
    for (const script of scripts) {
      let source: Source
      try {
        source = await sourceOf(script, host)
      } catch (error) {
        host.complain(`howdah: cannot read ${nameOf(script)}: ${(error as Error).message}`)
        return exitStatus.failed
      }
      if (await fails(source, host, runner)) {
        return script.kind === 'command' ? exitStatus.failed : exitStatus.scriptFailed
      }
    }
    return exitStatus.done
  }
  const status = await host.during(receive, run)
  return signalled ?? status
}

async function sourceOf(script: Script, host: Host): Promise<Source> {
  if (script.kind === 'command') return { sql: script.sql, name: null }
  const sql =
    script.path === '-'
      ? await text(host.stdin)
      : await readFile(host.fullPath(script.path), 'utf8')
  return { sql, name: nameOf(script) }
}

function nameOf(script: Script): string {
  if (script.kind === 'command') return 'the command'
  return script.path === '-' ? '<stdin>' : script.path
}

/** Runs a script up to its first error. Returns whether there was an error. The last statement needs no semicolon. */
async function fails({ sql, name }: Source, host: Host, runner: QueryRunner): Promise<boolean> {
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
      if (name === null) return host.stdin
      const { data, end } = copyData(sql, begin + statement.end)
      line += countLines(sql.slice(begin, end))
      begin = end
      statements = next()
      return [data]
    }
    const at = line + statement.line - 1
    try {
      for (const result of await runner.run(statement.text, { read }))
        await host.write(`${renderResult(result)}\n`)
    } catch (error) {
      const where = name === null ? '' : `${name}:${at}: `
      host.complain(where + describeServerError(error as Error, statement.text))
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
