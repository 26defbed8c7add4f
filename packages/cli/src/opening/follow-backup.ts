import type { Progress } from '@howdah/backup'
import type { Context } from '../program/command.ts'
import type { Waiting } from '../program/waiting.ts'
import { describeProgress } from './describe-progress.ts'

/** Options for work on backups, with which it can be interrupted and shows its waits and progress. */
export function followBackup(
  { output, interruption }: Pick<Context, 'output' | 'interruption'>,
  waiting: Waiting,
): Pick<Waiting, 'onWait'> & { signal: AbortSignal; onProgress: (progress: Progress) => void } {
  return {
    signal: interruption.signal,
    onWait: waiting.onWait,
    onProgress(progress) {
      if (progress.phase !== 'preparing') waiting[Symbol.dispose]()
      output.progress.show(describeProgress(progress))
    },
  }
}
