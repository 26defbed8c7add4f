import type { Session } from '@howdah/cluster'
import { runChild } from '@howdah/terminal'
import type { Context } from '../program/command.ts'
import { commandEnv } from '../opening/command-env.ts'
import type { ShadowDatabase } from '../project/shadow-database.ts'
import { inSession } from '../opening/in-session.ts'

/** Runs a command with the variables by which it finds the database. */
export async function exec(
  context: Context,
  [command = '', ...args]: readonly string[],
): Promise<number> {
  const { io, interruption, output, options } = context
  return await inSession(context, async (session) => {
    const env = commandEnv(context, session)
    const shadow = options.shadow === true ? await makeShadow(session) : null
    try {
      return await runChild(io, interruption, {
        command,
        args,
        env: shadow === null ? env : { ...env, SHADOW_DATABASE_URL: session.url(shadow.name) },
        onFailure: (message) => output.complain(`howdah: ${message}`),
      })
    } finally {
      await shadow?.drop()
    }
  })
}

async function makeShadow(session: Session): Promise<ShadowDatabase> {
  const { makeShadowDatabase } = await import('../project/shadow-database.ts')
  return await makeShadowDatabase(session)
}
