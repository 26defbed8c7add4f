import { once } from 'node:events'
import type { ProcessIo } from './process-io.ts'

/** What a question needs of a program. */
export interface Asking {
  readonly io: Pick<ProcessIo, 'stdin' | 'stderr'>
  /** Its progress is hidden first. */
  readonly output: { readonly progress: { clear(): void } }
  /** It ends the wait for an answer. */
  readonly interruption: { readonly signal: AbortSignal }
}

/**
 * Asks a question on the terminal. Only "y" and "yes" are a yes, and the end of the input is a no. `null` if stdin or
 * stderr is not a terminal, so that nobody can be asked. Throws if a signal ends the wait.
 */
export async function ask(
  { io: { stdin, stderr }, output, interruption: { signal } }: Asking,
  question: string,
): Promise<boolean | null> {
  if (stdin.isTTY !== true || stderr.isTTY !== true) return null
  // Few programs that can ask do ask, and Node needs some milliseconds to load this.
  const { createInterface } = await import('node:readline')
  output.progress.clear()
  stderr.write(`${question} [y/N] `)
  // The terminal edits the line, and sends Ctrl-C as a signal.
  const lines = createInterface({ input: stdin, terminal: false })
  let answer: string | undefined
  try {
    const line = once(lines, 'line', { signal })
    const end = once(lines, 'close', { signal })
    ;[answer] = (await Promise.race([line, end])) as [string?]
    return /^\s*y(?:es)?\s*$/i.test(answer ?? '')
  } finally {
    lines.close()
    // Nobody has ended the line of the question.
    if (answer === undefined) stderr.write('\n')
  }
}
