import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { resolve } from 'node:path'
import type { Session } from '@howdah/cluster'
import { type Host, runShell, type ShellOptions } from '../src/index.ts'

/** What a shell has printed, and its exit status. */
export interface Printed {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the shell on a session, in this process. */
export async function shellOn(
  session: Session,
  cwd: string,
  options: Omit<ShellOptions, 'database'>,
  input = '',
): Promise<Printed> {
  const stdin = new PassThrough()
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const printed = Promise.all([text(stdout), text(stderr)])
  const host: Host = {
    stdin,
    stdout,
    stderr,
    env: session.commandEnv(),
    version: '1.2.3',
    historyFile: async () => await Promise.resolve(null),
    fullPath: (path) => resolve(cwd, path),
    async write(data) {
      await Promise.resolve(stdout.write(data))
    },
    complain: (line) => stderr.write(`${line}\n`),
    message: (line) => stderr.write(`${line}\n`),
    connect: async (to) => await session.connect(to),
    during: async (_, action) => await action(),
  }
  stdin.end(input)
  const status = await runShell(host, { database: session.database, ...options })
  // What was written last may still be on its way through the streams.
  stdout.end()
  stderr.end()
  const [out, err] = await printed
  return { status, stdout: out, stderr: err }
}
