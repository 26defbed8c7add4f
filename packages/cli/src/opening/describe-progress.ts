import type { Progress } from '@howdah/backup'

const words: Readonly<Record<Progress['phase'], string>> = {
  preparing: 'preparing',
  copying: 'copying',
  archiving: 'archiving WAL',
  recovering: 'replaying WAL',
  verifying: 'verifying',
  finishing: 'finishing',
}

/** Describes the progress of a backup or a restore in one line. */
export function describeProgress({ phase, bytes, totalBytes, remaining }: Progress): string {
  if (totalBytes === null) return words[phase]
  const much = `${words[phase]}: ${megabytes(bytes)} of ${megabytes(totalBytes)} MB`
  return remaining === null || remaining === 0 ? much : `${much}, about ${duration(remaining)} left`
}

/** Megabytes, with a decimal place if there are few. */
export function megabytes(bytes: number): string {
  const count = bytes / 1e6
  return count < 100 ? count.toFixed(1) : count.toFixed(0)
}

function duration(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000)
  if (seconds < 90) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`
}
