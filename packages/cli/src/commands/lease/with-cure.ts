import type { Context } from '../../program/command.ts'
import { errno } from '@howdah/durable'
import { withoutPassword } from '../../opening/lease/without-password.ts'

/** Adds the commands that help to the error of a corrupt lease. Gives any other error back unchanged. */
export function withCure(error: unknown, { options }: Context, name: string): unknown {
  if (errno(error) !== 'ERR_LEASE_CORRUPT') return error
  const place = options.in === undefined ? '' : `--in ${withoutPassword(options.in)} `
  const hint = `howdah lease ${place}show ${name}; and if nobody holds it: howdah lease ${place}reset ${name}`
  return Object.assign(error as Error, { hint })
}
