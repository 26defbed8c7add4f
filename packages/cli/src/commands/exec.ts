import type { Context } from '../program/command.ts'
import { commandEnv } from '../opening/command-env.ts'
import { inSession } from '../opening/in-session.ts'
import { runChild } from '../running/run-child.ts'

/** Runs a command with the environment that leads it to the database. */
export async function exec(
  context: Context,
  [command = '', ...args]: readonly string[],
): Promise<number> {
  const { io, interruption, output } = context
  return await inSession(context, async (session) => {
    const env = commandEnv(context, session)
    return await runChild(io, interruption, {
      command,
      args,
      env,
      onFailure: (message) => output.complain(message),
    })
  })
}
