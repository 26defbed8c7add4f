import { createInterface } from 'node:readline/promises'
import type { Context } from '../program/command.ts'

/**
 * Asks on the terminal whether something is meant. `true` without asking if there is no terminal, or with `--yes`, `--force` or
 * `--json`.
 */
export async function confirm(
  { io, options, interruption }: Context,
  question: string,
): Promise<boolean> {
  const { yes, force, json } = options
  if (yes || force || json || io.stdin.isTTY !== true || io.stderr.isTTY !== true) return true
  const terminal = createInterface({ input: io.stdin, output: io.stderr })
  // It reads the key that would otherwise be a signal.
  terminal.on('SIGINT', () => interruption.abort(130))
  try {
    const answer = await terminal.question(`${question} [y/N] `, { signal: interruption.signal })
    return /^\s*y(?:es)?\s*$/i.test(answer)
  } finally {
    terminal.close()
  }
}
