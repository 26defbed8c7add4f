import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { lockers } from './deno-lockers.mjs'
import { deno } from './others.mjs'

/** The lockers that need Deno; none if it is not compared. */
export const denoNames = () => (deno() === null ? [] : Object.keys(lockers))

/** Starts a script of this directory, with its first word's runtime, and waits until it says that it is ready. */
export async function start(script, ...args) {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const runtime =
    args[0] in lockers ? [deno(), 'run', '--quiet', '--allow-all'] : [process.execPath]
  const [command, ...words] = [...runtime, path, ...args.map(String)]
  const child = spawn(command, words, {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  await lines.next()
  return {
    child,
    line: async () => (await lines.next()).value,
    tell: (line) => child.stdin.write(`${line}\n`),
  }
}

export function quantile(values, share) {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
