import { createInterface } from 'node:readline/promises'
import type { Context } from '../program/command.ts'

/** Asks a question on the terminal. The answer is no if there is no terminal, with `--json`, and after Ctrl-C. */
export async function ask(
  { io, options, output, interruption }: Context,
  question: string,
): Promise<boolean> {
  if (io.stdin.isTTY !== true || io.stderr.isTTY !== true || options.json === true) return false
  output.progress.clear()
  const lines = createInterface({ input: io.stdin, output: io.stderr, terminal: false })
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal: interruption.signal })
    return /^\s*y(?:es)?\s*$/i.test(answer)
  } catch {
    return false
  } finally {
    lines.close()
  }
}
