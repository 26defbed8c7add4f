import { watch } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { acquire, tryAcquire } from '@howdah/lock'

/** In ms: how often to look if the kernel cannot tell. */
const interval = 500

/** What is slept on. */
interface Sleep {
  /** Files that may be replaced, removed or written. */
  readonly files: readonly string[]
  /** The file that the server has locked. */
  readonly server: string
  /** In ms. */
  readonly longest: number
  /** Whether what is waited for has come already; asked once the kernel tells of changes. */
  readonly isOver: () => boolean
}

/**
 * Sleeps until one of the files has changed or the server has ended, for `longest` ms at most.
 *
 * Nothing wakes up in between. The kernel tells of files, and it tells of the server's end by the lock that the server and its children
 * have. If it cannot tell of one of them, such as of a server that does not have the lock, this sleeps for half a second.
 */
export async function awaitChange({ files, server, longest, isOver }: Sleep): Promise<void> {
  const over = new AbortController()
  const { signal } = over
  const look = (): Promise<unknown> => sleep(interval, undefined, { signal })
  const events = [
    ...files.map(async (path) => await changed(path, signal).catch(look)),
    unlocked(server, signal).catch(look),
    // Beyond 2 ** 31 ms a timer would end at once.
    sleep(Math.min(longest, 2 ** 31 - 1), undefined, { signal }),
  ]
  try {
    if (!isOver()) await Promise.race(events)
  } finally {
    over.abort()
    // So that the lock, if it was got in this very moment, is released.
    await Promise.allSettled(events)
  }
}

async function changed(path: string, signal: AbortSignal): Promise<void> {
  await new Promise((resolve, reject) => {
    watch(path, { signal }, resolve).once('error', reject).once('close', resolve)
  })
}

/** Rejects if nobody has the lock now. */
async function unlocked(server: string, signal: AbortSignal): Promise<void> {
  const options = { mode: 'shared', create: false } as const
  const free = await tryAcquire(server, options)
  free?.release()
  if (free !== null) throw new Error('nobody has the lock')
  ;(await acquire(server, { ...options, fair: false, signal })).release()
}
