import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { until } from '@howdah/fixtures'

const script = fileURLToPath(new URL('upgrader.mjs', import.meta.url))

/** When the process is to be killed: never, at one of its reports, or some ms or an event after its start or a step. */
interface Kill {
  /** At the first report that is none of these, and of none of these steps. */
  readonly passed?: readonly string[]
  readonly after?: number
  readonly once?: () => boolean
  readonly since?: string
  /** Which processes are killed; by default only this one. */
  readonly victims?: (upgrade: number) => number[]
}

interface Ended {
  readonly reports: string[]
  readonly killed: boolean
  /** How long it took from its start or the step to its end, in ms. */
  readonly took: number
}

/** Upgrades in a process that may be killed. */
export async function upgradeIn(
  dataDir: string,
  to: number,
  where: { readonly packages: string[] } | { readonly bindirs: string[] },
  { passed, after, once: happens, since, victims = (upgrade) => [upgrade] }: Kill = {},
): Promise<Ended> {
  const request = JSON.stringify({ dataDir, ...where, to: String(to), passed })
  let began = performance.now()
  const child = spawn(process.execPath, [script, request], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  const reports: string[] = []
  const begins = new Promise<void>((resolve) => {
    if (since === undefined) resolve()
    createInterface(child.stdout).on('line', (line) => {
      reports.push(line)
      if (since === undefined || !line.startsWith(since)) return
      began = performance.now()
      resolve()
    })
  })
  if (after !== undefined || happens !== undefined) {
    const isOver = () => child.exitCode !== null || child.signalCode !== null
    const comes = async () => {
      await begins
      await sleep(after)
      await until('it happens', () => isOver() || happens?.() !== false, 60_000)
    }
    await Promise.race([ended, comes()])
    if (!isOver()) for (const pid of victims(child.pid ?? 0)) kill(pid)
  }
  const [, signal] = (await ended) as [number | null, NodeJS.Signals | null]
  return { reports, killed: signal === 'SIGKILL', took: performance.now() - began }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended just now.
  }
}
