import type { Session } from '@howdah/cluster'
import type { Context } from '../program/command.ts'
import { runPrompt } from './prompt.ts'
import { QueryRunner } from './query-runner.ts'
import { runScripts } from './run-scripts.ts'

/** The shell if there is no psql: runs the SQL of `-c`, `-f` or stdin, or prompts if stdin is a terminal. */
export async function runBuiltIn(context: Context, session: Session): Promise<number> {
  const { io, output, options } = context
  const open = (database: string) =>
    QueryRunner.open(
      session,
      database,
      (text) => output.message(text),
      (data) => output.write(data),
    )
  const interactive = options.scripts === undefined && io.stdin.isTTY === true
  return await (interactive
    ? runPrompt(context, session.database, open)
    : runScripts(context, await open(session.database)))
}
