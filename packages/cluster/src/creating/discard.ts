import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { removeTree } from '@howdah/data-directory'

const prefix = '.removed-'

/** Whether it is the name of something that is being removed. */
export function isDiscarded(name: string): boolean {
  return name.startsWith(prefix)
}

/**
 * Removes a directory without anybody waiting for it: it is gone from its path at once, and what is in it soon after, by a
 * process that outlives this one. If that is killed, see `sweep`.
 */
export async function discard(path: string): Promise<void> {
  const aside = join(dirname(path), prefix + randomBytes(6).toString('hex'))
  await rename(path, aside)
  const remove = () => void removeTree(aside).catch(() => undefined)
  // BusyBox goes by paths, where the server's user may put links until all is gone.
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
