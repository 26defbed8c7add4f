import type { Runtime } from '@howdah/runtime'
import { type Outcome, runServerProgram } from './server-program.ts'
import type { ServerUser } from './server-user.ts'

/** Writes all files of a cluster that the kernel still has in memory to the disk. Its server may run meanwhile. */
export async function syncToDisk(
  path: string,
  runtime: Runtime,
  user: ServerUser | null,
  signal?: AbortSignal,
): Promise<Outcome> {
  const args = (name: string) => ['--sync-only', '--pgdata', name]
  return await runServerProgram(runtime, 'initdb', { user, path, args, signal })
}
