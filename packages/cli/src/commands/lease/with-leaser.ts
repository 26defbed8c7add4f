import type { Leaser } from '@howdah/lease'
import type { Context } from '../../program/command.ts'
import { statusOf } from '../../exit-status.ts'
import { openLeaser } from '../../opening/lease/open-leaser.ts'
import { reportError } from '../../output/report-error.ts'
import { withCure } from './with-cure.ts'

/** Runs an action on a lease without holding it. Failures have the usual exit statuses, because no program runs here. */
export async function withLeaser(
  context: Context,
  name: string,
  action: (leaser: Leaser) => Promise<number>,
): Promise<number> {
  const { interruption } = context
  const opened = await openLeaser(context, name, { create: false })
  try {
    return await action(opened.leaser)
  } catch (error) {
    if (interruption.status !== null) throw error
    const cured = withCure(error, context, name)
    const status = statusOf(cured)
    reportError(context, cured, status)
    return status
  } finally {
    await opened.close()
  }
}
