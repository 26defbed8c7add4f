import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

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
  const remover = spawn('/bin/rm', ['-rf', '--', aside], {
    cwd: '/',
    detached: true,
    env: {},
    stdio: 'ignore',
  })
  remover.once(
    'error',
    () => void rm(aside, { recursive: true, force: true }).catch(() => undefined),
  )
  remover.unref()
}
