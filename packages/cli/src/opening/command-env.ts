import type { Session } from '@howdah/cluster'
import type { Context } from '../program/command.ts'

/** The environment of a program in a session, with the variables of `--env`. */
export function commandEnv({ io, options }: Context, session: Session): Record<string, string> {
  const filled = Object.entries(options.env ?? {}).map(
    ([name, template]) => [name, session.fill(template)] as const,
  )
  return { ...session.commandEnv(undefined, io.env), ...Object.fromEntries(filled) }
}
