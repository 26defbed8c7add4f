import type { WorkOptions } from '@howdah/backup'
import type { Context } from '../program/command.ts'
import { tellWaits } from '../program/tell-waits.ts'
import { describeProgress } from './describe-progress.ts'

/**
 * Options for work on backups, with which it can be interrupted and shows its waits and progress. `purpose` completes
 * "waiting for others …".
 */
export function followBackup(
  { output, interruption }: Pick<Context, 'output' | 'interruption'>,
  purpose: string,
): Pick<WorkOptions, 'signal' | 'onWait' | 'onProgress'> {
  return {
    signal: interruption.signal,
    onWait: tellWaits(output, purpose),
    onProgress: (progress) => output.progress.show(describeProgress(progress)),
  }
}
