import { exitStatus } from '../exit-status.ts'
import { runCommand } from '../commands/run-command.ts'
import { interrupted, type LineSource } from '../scanning/line-source.ts'
import { QueryScanner } from '../scanning/query-scanner.ts'
import { Conditions } from '../state/conditions.ts'
import type { Shell } from '../state/shell.ts'
import type { Run } from './run.ts'
import { sendQuery } from './send-query.ts'

/**
 * Runs the queries and commands of a source, to its end or to `\q`. Returns `exitStatus.scriptFailed` if a failure has ended it.
 */
export async function runSource(shell: Shell, source: LineSource): Promise<number> {
  const run: Run = {
    source,
    scanner: new QueryScanner(shell.variables.get, (message) => shell.complain(message)),
    conditions: new Conditions(),
  }
  shell.sources.push(source)
  try {
    return await runLines(shell, run)
  } finally {
    shell.sources.pop()
  }
}

async function runLines(shell: Shell, run: Run): Promise<number> {
  const { source, scanner, conditions } = run
  for (;;) {
    const line = await source.next(scanner.unfinished)
    if (shell.ended !== null) return exitStatus.done
    if (line === null) break
    if (line === interrupted) {
      scanner.clear()
      conditions.drop()
      continue
    }
    if (source.isInteractive && scanner.query === '') {
      if (/^\s*(?:quit|exit)[\s;]*$/i.test(line)) return exitStatus.done
      if (/^\s*help[\s;]*$/i.test(line)) {
        await shell.stdout.write(helpForHelp)
        continue
      }
    }
    if (shell.variables.get('ECHO') === 'all' && !source.isInteractive)
      await shell.stdout.write(`${line}\n`)
    scanner.add(`${line}\n`)
    const end = await runScanned(shell, run)
    if (end !== null) return end
  }
  return await runRest(shell, run)
}

/** Runs what the lines so far complete. Returns an exit status if the source is not to go on. */
async function runScanned(shell: Shell, run: Run): Promise<number | null> {
  const { scanner } = run
  const include = async (source: LineSource) => await runSource(shell, source)
  for (let found = scanner.next(); found !== null; found = scanner.next()) {
    if (found.kind === 'query') {
      if (!(await runQuery(shell, found.text, run)) && shell.stopsAtErrors)
        return exitStatus.scriptFailed
    } else {
      const outcome = await runCommand(shell, found.text, run, include)
      if (outcome === 'quit') return exitStatus.done
      if (outcome === 'failed' && shell.stopsAtErrors) return exitStatus.scriptFailed
    }
    if (shell.ended !== null) return exitStatus.done
  }
  return null
}

async function runQuery(shell: Shell, query: string, { conditions }: Run): Promise<boolean> {
  if (conditions.isActive) return await sendQuery(shell, query)
  if (shell.isInteractive)
    shell.complain(
      String.raw`query ignored; use \endif or Ctrl-C to leave the branch that is not taken`,
    )
  return true
}

/** Runs the last query of a script, which needs no semicolon. */
async function runRest(shell: Shell, run: Run): Promise<number> {
  const { source, scanner, conditions } = run
  if (source.isInteractive) return exitStatus.done
  if (scanner.query !== '' && conditions.isActive) {
    const succeeded = await sendQuery(shell, scanner.query)
    if (!succeeded && shell.stopsAtErrors) return exitStatus.scriptFailed
  }
  if (conditions.isEmpty) return exitStatus.done
  shell.complainOf(String.raw`reached EOF without finding closing \endif(s)`)
  return shell.stopsAtErrors ? exitStatus.scriptFailed : exitStatus.done
}

const helpForHelp = String.raw`This is howdah's shell for PostgreSQL, which works as psql does.
Type:  \h for help with SQL commands
       \? for help with commands of the shell
       \g or terminate with semicolon to execute query
       \q to quit
`
