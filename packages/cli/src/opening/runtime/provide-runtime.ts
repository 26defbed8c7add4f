import type { Context } from '../../program/command.ts'
import { errno } from '@howdah/durable'
import type { OpenCluster } from '../open-cluster.ts'

/** The major to fetch if nothing says which. */
const newest = '18'

/**
 * Sees to it that there is a PostgreSQL for the cluster: fetches the version that its data directory needs, or that was
 * asked for, if none is here.
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
