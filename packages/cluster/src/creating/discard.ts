import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { removeTree } from '@howdah/data-directory'

const prefix = '.removed-'

/** Whether this is the name of a directory that is being removed. */
export function isDiscarded(name: string): boolean {
  return name.startsWith(prefix)
}

/**
 * Removes a directory in the background. It disappears from its path at once. A separate process, which may outlive this one,
 * removes its content soon after. If that process is killed, `sweep` removes the rest.
 */
export async function discard(path: string): Promise<void> {
  const aside = join(dirname(path), prefix + randomBytes(6).toString('hex'))
  await rename(path, aside)
  const remove = () => void removeTree(aside).catch(() => undefined)
  // BusyBox uses paths, and the server's user may put links there until everything is removed.
  if (process.geteuid?.() === 0 && basename(realpathSync('/bin/rm')) === 'busybox') return remove()
  const remover = spawn('/bin/rm', ['-rf', '--', aside], {
    cwd: '/',
    detached: true,
    env: {},
    stdio: 'ignore',
  })
  remover.once('error', remove)
  remover.unref()
}
