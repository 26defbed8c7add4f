import type { Host, ShellOptions } from './host.ts'
import { runPrompt } from './prompt.ts'
import { QueryRunner } from './query-runner.ts'
import { runScripts } from './run-scripts.ts'

/** Runs the SQL of scripts or stdin, or prompts if stdin is a terminal. Returns an exit status, as psql's. */
export async function runShell(host: Host, options: ShellOptions): Promise<number> {
  const { database, scripts } = options
  const open = (name: string) => QueryRunner.open(host, name)
  const interactive = scripts === undefined && host.stdin.isTTY === true
  return await (interactive
    ? runPrompt(host, database, open)
    : runScripts(host, scripts, await open(database)))
}
