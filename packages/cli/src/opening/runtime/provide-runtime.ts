import type { Context } from '../../program/command.ts'
import { errno } from '@howdah/durable'
import type { OpenCluster } from '../open-cluster.ts'

/** The major version to fetch by default. */
export const newest = '18'

/**
 * Makes sure that there is a PostgreSQL for the cluster. If there is none, fetches the version that the data directory needs,
 * or the requested one.
 */
export async function provideRuntime(context: Context, { cluster }: OpenCluster): Promise<void> {
  try {
    await cluster.runtime()
  } catch (error) {
    if (errno(error) !== 'ERR_RUNTIME_NOT_FOUND') throw error
    const wanted = context.options.runtime
    const version = (await cluster.version())?.toString() ?? wanted ?? newest
    // A directory is not a version to fetch.
    if (version.includes('/')) throw error
    const { installWithProgress } = await import('./install-with-progress.ts')
    const runtime = await installWithProgress(context, version)
    context.output.message(`installed ${runtime.toString()}`)
  }
}
