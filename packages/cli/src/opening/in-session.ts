import type { Session } from '@howdah/cluster'
import type { Context } from '../program/command.ts'
import { joinCluster } from './join-cluster.ts'
import { describeError } from '../output/report-error.ts'

/**
 * Runs a program while the server runs, and tidies up when it has ended: what `exec` and `shell` are.
 *
 * Others that are still connected, such as what the program has left running, lose their connections: the server ends with the
 * program. A failure to tidy up is said, and does not change the status of the program.
 */
export async function inSession(
  context: Context,
  action: (session: Session) => Promise<number>,
): Promise<number> {
  const { interruption, output } = context
  const session = await joinCluster(context, { toDatabase: true })
  let status: number
  try {
    status = await action(session)
  } catch (error) {
    await session.leave({ force: true }).catch(() => undefined)
    throw error
  }
  try {
    await interruption.tidy(status, () => session.leave({ force: true }))
  } catch (error) {
    output.complain(describeError(error, false))
  }
  return status
}
