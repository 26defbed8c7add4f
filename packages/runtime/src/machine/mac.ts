import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'

let machine: string | null | undefined
let boot: string | null | undefined

/** The machine's IOPlatformUUID; `null` if it cannot be told. */
export function macMachine(): string | null {
  return (machine ??=
    /"IOPlatformUUID" = "([^"]+)"/.exec(
      ask('/usr/sbin/ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice']) ?? '',
    )?.[1] ?? null)
}

/** The id of this boot; `null` if it cannot be told. */
export function macBoot(): string | null {
  return (boot ??= ask('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid']))
}

/**
 * The processes that run a program from a directory; `null` if that cannot be told.
 *
 * `comm` is the path of the program, ps(1) of macOS. A server whose path is not told may be one of them.
 */
export async function macProcessesRunning(directory: string): Promise<number[] | null> {
  try {
    const { stdout } = await promisify(execFile)('/bin/ps', ['-A', '-o', 'pid=', '-o', 'comm='])
    const all = stdout.split('\n').map((line) => /^\s*(\d+)\s+(.*)$/.exec(line) ?? [])
    if (all.some(([, , program = '']) => /^\(?postgres/.test(program))) return null
    return all
      .filter(([, , program = '']) => program.startsWith(`${directory}/`))
      .map(([, pid]) => Number(pid))
  } catch {
    return null
  }
}

/** Makes the system write to the disk all that it has not written yet, sync(8). What is synced next is behind that on the disk. */
export async function writeOut(): Promise<void> {
  await promisify(execFile)('/bin/sync', [])
}

function ask(program: string, args: readonly string[]): string | null {
  try {
    const stdio = ['ignore', 'pipe', 'ignore'] as const
    return execFileSync(program, args, { encoding: 'utf8', stdio: [...stdio] }).trim() || null
  } catch {
    return null
  }
}
