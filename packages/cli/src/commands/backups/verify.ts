import { verifyBackups } from '@howdah/backup'
import type { Context } from '../../program/command.ts'
import { describeProgress } from '../../opening/describe-progress.ts'
import { exitStatus } from '../../exit-status.ts'
import { Waiting } from '../../program/waiting.ts'
import { fullPath } from '../../program/working-directory.ts'

/** Reads all backups in a directory and the WAL since the first of them, and says what is wrong. */
export async function verify(
  { io, output, options, interruption }: Context,
  [directory = '']: readonly string[],
): Promise<number> {
  using waiting = new Waiting(output, 'to back up')
  const verification = await verifyBackups(fullPath(io, directory), {
    ...(options.timeout !== undefined && { waitTimeout: options.timeout * 1000 }),
    signal: interruption.signal,
    onWait: waiting.onWait,
    onProgress(progress) {
      if (progress.phase !== 'preparing') waiting[Symbol.dispose]()
      output.progress.show(describeProgress(progress))
    },
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
