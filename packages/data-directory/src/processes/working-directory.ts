import { statSync } from 'node:fs'
import { ownerOf } from '../user/owner-of.ts'
import { askAsOwner } from './ask-as-owner.ts'

/**
 * Finds out which of the given processes work in a directory, by its device and inode. For the processes in `unknown` we
 * cannot tell.
 *
 * `/proc/<pid>/cwd` may be followed by a process of the same user and by one with CAP_SYS_PTRACE (proc_pid_cwd(5)). Root in a
 * container rarely has that capability, but can become the user of a process. So it looks again as that user, by `sh` with
 * the directory as its own working directory, so that the user need not be able to reach any path.
 */
export async function workingIn(directory: string, pids: readonly number[]): Promise<Workers> {
  const here: number[] = []
  const closed: number[] = []
  for (const pid of pids) {
    const works = worksIn(directory, pid)
    if (works === null) closed.push(pid)
    else if (works) here.push(pid)
  }
  const unknown: number[] = []
  for (const theirs of byOwner(closed)) {
    const found = await lookAsOwner(directory, theirs)
    if (found === null) unknown.push(...theirs)
    else here.push(...found)
  }
  return { here, unknown }
}

/** The answer of {@link workingIn}. */
export interface Workers {
  readonly here: number[]
  readonly unknown: number[]
}

/** Whether a process works in the directory. `null`: this process may not look. */
function worksIn(directory: string, pid: number): boolean | null {
  try {
    const wanted = statSync(directory, { bigint: true })
    const actual = statSync(`/proc/${pid}/cwd`, { bigint: true })
    return actual.dev === wanted.dev && actual.ino === wanted.ino
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EACCES' || code === 'EPERM' ? null : false
  }
}

function byOwner(pids: readonly number[]): number[][] {
  const groups = new Map<string, number[]>()
  for (const pid of pids) {
    const { uid, gid } = ownerOf(`/proc/${pid}`) ?? {}
    // The process has ended.
    if (uid === undefined) continue
    const owner = `${uid}:${gid}`
    groups.set(owner, [...(groups.get(owner) ?? []), pid])
  }
  return [...groups.values()]
}

/** The processes that work in the directory, as their owner sees them; `null` if we cannot become the owner. */
async function lookAsOwner(directory: string, pids: readonly number[]): Promise<number[] | null> {
  const answer = await askAsOwner(pids[0] ?? 0, directory, look, pids.map(String))
  if (answer === null) return null
  const answers = answer.split('\n').map((line) => line.split(' '))
  if (answers.some(([, what]) => what === 'unknown')) return null
  return answers.filter(([, what]) => what === 'here').map(([pid]) => Number(pid))
}

/** `-ef` compares device and inode; dash, BusyBox and bash know it. `-e` fails if the link may not be followed. */
const look = `
for pid; do
  if [ /proc/$pid/cwd -ef . ]; then echo "$pid here"
  elif [ -e /proc/$pid/cwd ]; then echo "$pid elsewhere"
  elif [ -e /proc/$pid ]; then echo "$pid unknown"
  fi
done
`
