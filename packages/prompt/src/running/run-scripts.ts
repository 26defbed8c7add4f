import { runCommand } from '../commands/run-command.ts'
import { ConnectionLost } from '../errors.ts'
import { exitStatus } from '../exit-status.ts'
import type { Script } from '../host.ts'
import type { LineSource } from '../scanning/line-source.ts'
import type { Shell } from '../state/shell.ts'
import { runFile } from './run-file.ts'
import { runSource } from './run-source.ts'
import { sendQuery } from './send-query.ts'

/** Runs scripts, or stdin if there are none. Returns the status of the last one that was run. */
export async function runScripts(
  shell: Shell,
  scripts: readonly Script[],
  singleTransaction: boolean,
): Promise<number> {
  try {
    if (scripts.length === 0) return await runSource(shell, shell.stdin)
    return await (singleTransaction ? inTransaction(shell, scripts) : inOrder(shell, scripts))
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error
    shell.host.complain(error.message)
    return exitStatus.lost
  }
}

async function inTransaction(shell: Shell, scripts: readonly Script[]): Promise<number> {
  const ask = async (query: string) => await shell.connection?.ask(query)
  await ask('BEGIN')
  const status = await inOrder(shell, scripts)
  await ask(status === exitStatus.done ? 'COMMIT' : 'ROLLBACK')
  return status
}

async function inOrder(shell: Shell, scripts: readonly Script[]): Promise<number> {
  let status: number = exitStatus.done
  for (const script of scripts) {
    status = await runScript(shell, script)
    if (shell.ended !== null) break
    if (status !== exitStatus.done && shell.variables.isOn('ON_ERROR_STOP')) break
  }
  return status
}

async function runScript(shell: Shell, script: Script): Promise<number> {
  const include = async (source: LineSource) => await runSource(shell, source)
  if (script.kind === 'file') return await runFile({ shell, include }, script.path)
  const { sql } = script
  if (shell.variables.get('ECHO') === 'all') await shell.stdout.write(`${sql}\n`)
  const succeeded = sql.startsWith('\\')
    ? (await runCommand(shell, sql, null, include)) !== 'failed'
    : await sendQuery(shell, sql)
  return succeeded ? exitStatus.done : exitStatus.failed
}
