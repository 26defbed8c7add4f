import type { Session } from '@howdah/cluster'
import type { Context } from '../program/command.ts'
import { joinCluster } from './join-cluster.ts'
import { inWords } from '../output/report-error.ts'

/**
 * Runs a program in a session, and tidies up after its end. `exec` and `shell` use it.
 *
 * Clients that are still connected, such as processes that the program has left running, lose their connections, because the
 * server ends with the program. A failure to tidy up is reported, but does not change the status of the program.
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
    output.complain(inWords(error))
  }
  return status
}
