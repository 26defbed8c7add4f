import { readdir, readlink } from 'node:fs/promises'
import { seeProcesses } from '@howdah/lock'

/** The processes that run a program from a directory, if we may see them; `null` if the system does not tell. */
export async function processesRunning(directory: string): Promise<number[] | null> {
  if (process.platform === 'darwin') return onMac(directory)
  const names = await readdir('/proc').catch(() => null)
  if (names === null || !names.includes('self')) return null
  const pids = names.filter((name) => /^\d+$/.test(name))
  const running = await Promise.all(
    pids.map(async (pid) => {
      const program = await readlink(`/proc/${pid}/exe`).catch(() => '')
      return program.startsWith(`${directory}/`) ? [Number(pid)] : []
    }),
  )
  return running.flat()
}

function onMac(directory: string): number[] | null {
  const seen = seeProcesses()
  if (seen === 'unknown') return null
  // A server whose program we cannot see may be one of these processes.
  if (seen.some(({ program, command }) => program === null && /postgres/.test(command ?? ''))) {
    return null
  }
  return seen.filter(({ program }) => program?.startsWith(`${directory}/`)).map(({ pid }) => pid)
}
