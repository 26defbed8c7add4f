import { execFileSync, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { childrenOf, type Random } from '@howdah/fixtures'

/** What may befall an operation, other than that somebody is killed with all that he has. */
export const troubles = ['backend', 'suspended', 'disk', 'memory'] as const
export type Trouble = (typeof troubles)[number]

/** Which processes it may befall. */
export interface Scene {
  /** A directory below which all clusters lie, on a file system of its own if there is to be trouble with the disk. */
  readonly home: string
  /** The process that does the operation. */
  readonly client: number
  readonly servers: readonly number[]
}

/** Begins it. What is returned ends it; `null` if there is nobody that it could befall. */
export function befall(trouble: Trouble, scene: Scene, random: Random): (() => void) | null {
  const { home, client, servers } = scene
  if (trouble === 'disk') return fill(home, random.below(8) * 2 ** 20)
  const processes = servers.flatMap((server) => childrenOf(server))
  if (trouble === 'backend') {
    if (processes.length === 0) return null
    tell(random.pick(processes), 'SIGKILL')
    return () => undefined
  }
  if (trouble === 'suspended') {
    const pid = random.pick([client, ...servers, ...processes])
    tell(pid, 'SIGSTOP')
    return () => tell(pid, 'SIGCONT')
  }
  if (servers.length === 0) return null
  for (const pid of servers) limitMemory(pid, String(sizeOf(pid) + random.below(16) * 2 ** 20))
  return () => {
    for (const pid of servers) limitMemory(pid, 'unlimited')
  }
}

/** Whether there can be such trouble here. */
export function isPossible(trouble: Trouble, home: string): boolean {
  if (trouble === 'disk') {
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=800m,mode=755', 'none', home])
    if (mounted.status !== 0) return false
    skipInodes(home)
    return true
  }
  return trouble !== 'memory' || spawnSync('prlimit', ['--version']).status === 0
}

/**
 * Lets the data directories have inode numbers that no other storm's have. A new tmpfs counts them from 1. PostgreSQL derives
 * the key of a server's shared memory from that number, or before 13 from the port: 1001 and above for our port 1. If another server
 * has the key, the next one is taken; the storm does not look for what was left under that one.
 */
function skipInodes(home: string): void {
  const script = 'seq $0 | xargs touch; seq $0 | xargs rm'
  execFileSync('sh', ['-c', script, String(randomInt(2_000, 30_000))], { cwd: home })
}

/** Ends what {@link isPossible} began. */
export function end(trouble: Trouble, home: string): void {
  if (trouble === 'disk') execFileSync('umount', ['-l', home])
}

function fill(home: string, left: number): () => void {
  const ballast = `${home}/ballast`
  const { bavail, bsize } = statfsSync(home)
  try {
    writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - left)))
  } catch (error) {
    // Others have written meanwhile: it is full.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
  return () => rmSync(ballast, { force: true })
}

/** In bytes: its address space. */
function sizeOf(pid: number): number {
  return (numbers(`/proc/${pid}/statm`)[0] ?? 0) * 4096
}

function numbers(path: string): number[] {
  try {
    return readFileSync(path, 'utf8').split(/\s+/).filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** For what it allocates, and for its children, from now on. */
function limitMemory(pid: number, bytes: string): void {
  spawnSync('prlimit', ['--pid', String(pid), `--as=${bytes}:unlimited`])
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
