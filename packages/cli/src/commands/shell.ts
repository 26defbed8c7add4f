import { join } from 'node:path'
import type { Session } from '@howdah/cluster'
import { findProgram } from '@howdah/durable'
import type { Host } from '@howdah/prompt'
import { fullPath, runChild, workingDirectory } from '@howdah/terminal'
import type { Context } from '../program/command.ts'
import { commandEnv } from '../opening/command-env.ts'
import { inSession } from '../opening/in-session.ts'

/** Starts psql, or the built-in prompt if there is none. */
export async function shell(context: Context, rest: readonly string[]): Promise<number> {
  return await inSession(context, async (session) => {
    const cwd = workingDirectory(context.io)
    const psql = findProgram('psql', commandEnv(context, session)['PATH'], { cwd })
    if (psql !== null) return await runPsql(context, session, psql, rest)
    const { runShell } = await import('@howdah/prompt')
    return await runShell(hostOf(context, session), {
      database: session.database,
      scripts: context.options.scripts,
      args: rest,
    })
  })
}

/** This process and the server, as the built-in prompt uses them. */
function hostOf(context: Context, session: Session): Host {
  const { io, output, interruption } = context
  return {
    stdin: io.stdin,
    stdout: io.stdout,
    stderr: io.stderr,
    env: commandEnv(context, session),
    version: io.version,
    async historyFile() {
      const { findStateDirectory } = await import('@howdah/store')
      const directory = findStateDirectory({ environment: io.env })
      return directory === null ? null : join(directory, 'prompt-history')
    },
    fullPath: (path) => fullPath(io, path),
    write: async (data) => await output.write(data),
    complain: (text) => output.complain(text),
    message: (text) => output.message(text),
    connect: async (to) => await session.connect(to),
    during: async (receive, action, options) => await interruption.during(receive, action, options),
  }
}

async function runPsql(
  context: Context,
  session: Session,
  psql: string,
  rest: readonly string[],
): Promise<number> {
  const { io, interruption, output, options } = context
  const { scripts = [] } = options
  const interactive = scripts.length === 0 && io.stdin.isTTY === true
  const given = scripts.flatMap((script) =>
    script.kind === 'command' ? ['-c', script.sql] : ['-f', script.path],
  )
  return await runChild(io, interruption, {
    command: psql,
    // A script stops at its first error, as with the built-in prompt. The caller's arguments follow and can change this.
    args: [...(interactive ? [] : ['-v', 'ON_ERROR_STOP=1']), ...given, ...rest],
    env: commandEnv(context, session),
    // psql cannot find its own files without a working directory.
    refuge: '/',
    interactive,
    onFailure: (message) => output.complain(`howdah: ${message}`),
  })
}
