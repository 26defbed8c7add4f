import type { Context } from '../../program/command.ts'
import { exitStatus } from '../../exit-status.ts'
import { isSaved } from '../../project/destroy-cluster.ts'
import { joinCluster } from '../../opening/join-cluster.ts'

/** Drops a database. */
export async function dropdb(context: Context, [name = '']: readonly string[]): Promise<number> {
  const { output, options } = context
  await using session = await joinCluster(context, { ifExists: true })
  const saves = options.save !== false
  const { saveDatabase } = await import('@howdah/snapshot')
  const outcome = saves ? await saveDatabase(session, name) : await session.dropDatabase(name)
  const changed = outcome === 'modified'
  if (options.json) await output.json({ changed, database: name })
  else
    output.message(
      changed
        ? `dropped database ${name}${saves ? `; ${isSaved}` : ''}`
        : `database ${name}: there was none`,
    )
  return exitStatus.done
}
