import { installRuntime, type InstallProgress, type Runtime } from '@howdah/runtime'
import type { Context } from '../../program/command.ts'

/** Fetches a PostgreSQL, and shows the progress. */
export async function installWithProgress(
  { output, interruption }: Context,
  version: string,
): Promise<Runtime> {
  try {
    return await installRuntime(version, {
      signal: interruption.signal,
      onProgress: (progress) => output.progress.show(describe(version, progress)),
    })
  } finally {
    output.progress.clear()
  }
}

function describe(version: string, { phase, packageVersion, bytes }: InstallProgress): string {
  const what = `PostgreSQL ${packageVersion ?? version}`
  if (phase === 'resolving') return `looking for ${what}`
  if (phase !== 'downloading') return `preparing ${what}`
  return `downloading ${what}${bytes === null ? '' : `: ${Math.round(bytes / 1e6)} MB`}`
}
