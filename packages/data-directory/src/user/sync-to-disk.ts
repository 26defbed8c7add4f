import { syncDirectory } from '@howdah/durable'
import type { Runtime } from '@howdah/runtime'
import { type ProgramResult, runServerProgram } from './server-program.ts'
import type { ServerUser } from './server-user.ts'

/** Writes all files of a cluster that the kernel still has in memory to the disk. Its server may run meanwhile. */
export async function syncToDisk(
  path: string,
  runtime: Runtime,
  user: ServerUser | null,
  signal?: AbortSignal,
): Promise<ProgramResult> {
  const args = (name: string) => ['--sync-only', '--pgdata', name]
  const result = await runServerProgram(runtime, 'initdb', { user, path, args, signal })
  // macOS's fsync(2), which initdb calls, leaves all in the drive's own memory. Node's empties that: F_FULLFSYNC, fcntl(2).
  if (process.platform === 'darwin') await syncDirectory(path)
  return result
}
