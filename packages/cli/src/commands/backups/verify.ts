import { verifyBackups } from '@howdah/backup'
import { fullPath } from '@howdah/terminal'
import type { Context } from '../../program/command.ts'
import { followBackup } from '../../opening/follow-backup.ts'
import { exitStatus } from '../../exit-status.ts'

/** Reads all backups in a directory and the WAL since the first one, and reports problems. */
export async function verify(
  context: Context,
  [directory = '']: readonly string[],
): Promise<number> {
  const { io, output, options } = context
  const verification = await verifyBackups(fullPath(io, directory), {
    waitTimeout: options.timeout,
    ...followBackup(context, 'to back up'),
  }).finally(() => output.progress.clear())
  const { backups, walFiles, findings } = verification
  if (options.json) await output.json(verification)
  else {
    for (const { path, what, remedy } of findings) await output.line(`${path} ${what}; ${remedy}`)
    const verdict = findings.length === 0 ? 'all sound' : `${findings.length} wrong`
    output.message(`${count(backups.length, 'backup')}, ${count(walFiles, 'WAL file')}, ${verdict}`)
  }
  return findings.length === 0 ? exitStatus.done : exitStatus.failed
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
