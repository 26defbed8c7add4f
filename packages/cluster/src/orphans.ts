import { readdir, readlink, stat } from 'node:fs/promises'
import type { DataDirectory } from './data-directory.ts'

/**
 * Ends what a killed postmaster has left: backends that are busy, have not noticed yet, and hold its shared memory, so
 * that no server can start. Known by their executable and by where they work; on Linux only.
 *
 * Only to be called while no postmaster runs, under the change and use locks. SIGQUIT ends a backend at once; what it
 * was doing was lost with its postmaster.
 */
export async function endOrphans(directory: DataDirectory): Promise<void> {
  const here = await stat(directory.path)
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue
    try {
      const there = await stat(`/proc/${name}/cwd`)
      if (there.dev !== here.dev || there.ino !== here.ino) continue
      if (!/\/postgres( \(deleted\))?$/.test(await readlink(`/proc/${name}/exe`))) continue
      process.kill(Number(name), 'SIGQUIT')
    } catch {
      // It has ended meanwhile, or is somebody else's.
    }
  }
}
