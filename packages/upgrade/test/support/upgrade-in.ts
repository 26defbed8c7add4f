import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('upgrader.mjs', import.meta.url))

/** When the process is to be killed: never, at one of its reports, or some ms after its start or a step. */
interface Kill {
  readonly killAt?: number
  readonly after?: number
  readonly since?: string
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
  { killAt = 0, after, since }: Kill = {},
): Promise<Ended> {
  const request = JSON.stringify({ dataDir, ...where, to: String(to), killAt })
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
  if (after !== undefined) {
    await Promise.race([ended, begins.then(async () => await sleep(after))])
    child.kill('SIGKILL')
  }
  const [, signal] = (await ended) as [number | null, NodeJS.Signals | null]
  return { reports, killed: signal === 'SIGKILL', took: performance.now() - began }
}
