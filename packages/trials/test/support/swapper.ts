import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('./swapper.py', import.meta.url))

/** Why there can be no {@link Swapper} here; `null` if there can. */
export function whyNoSwapper(): string | null {
  if (process.platform !== 'linux') return 'it takes renameat2(2), which is in Linux alone'
  if (process.getuid?.() !== 0) return 'it takes two users, and so root'
  const probe = 'import ctypes; ctypes.CDLL(None).renameat2'
  const { status } = spawnSync('python3', ['-c', probe])
  return status === 0 ? null : 'it takes python3 and a C library with renameat2'
}

/** A process of another user that exchanges two names for as long as it is not disposed; see `swapper.py`. */
export async function startSwapper(
  uid: number,
  directory: string,
  one: string,
  other: string,
): Promise<AsyncDisposable> {
  const child = spawn('python3', [script, String(uid), directory, one, other], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit'),
  ])) as unknown[]
  if (line !== 'ready') throw new Error('the swapper has not come up')
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
