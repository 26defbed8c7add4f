import { load as loadDatabase } from '@howdah/dump'
import { fullPath } from '@howdah/terminal'
import type { Context } from '../../program/command.ts'
import { megabytes } from '../../opening/describe-progress.ts'
import { exitStatus } from '../../exit-status.ts'
import { joinCluster } from '../../opening/join-cluster.ts'

/** Loads a dump into a database, which is made if it is missing. */
export async function load(context: Context, [file = '-']: readonly string[]): Promise<number> {
  const { io, interruption, options, output } = context
  await using session = await joinCluster(context, { toDatabase: true })
  const loaded = await loadDatabase(session, {
    from: file === '-' ? io.stdin : fullPath(io, file),
    singleTransaction: options.singleTransaction,
    roles: options.roles === true ? 'create' : 'skip',
    signal: interruption.signal,
    onProgress({ bytes, totalBytes }) {
      const of = totalBytes === null ? '' : ` of ${megabytes(totalBytes)}`
      output.progress.show(`loading: ${megabytes(bytes)}${of} MB`)
    },
    onNotice: (words) => output.message(words),
  }).finally(() => output.progress.clear())
  const { statements, rows, skipped } = loaded
  if (options.json) await output.json({ database: session.database, ...loaded })
  else if (statements === null) output.message(`loaded ${file} into database ${session.database}`)
  else
    output.message(
      `loaded ${file} into database ${session.database}: ${statements} statements, ${rows ?? 0} rows` +
        (skipped === 0 ? '' : `; ${skipped} statements were skipped`),
    )
  return exitStatus.done
}
