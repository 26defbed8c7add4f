import { ShellError } from '../errors.ts'
import type { Run } from '../running/run.ts'
import { CommandReader } from '../scanning/command-reader.ts'
import { booleanOf } from '../state/boolean.ts'
import type { Shell } from '../state/shell.ts'

const names: ReadonlySet<string> = new Set(['if', 'elif', 'else', 'endif'])

/** Runs `\if`, `\elif`, `\else` and `\endif`; `null` if it is another command. */
export async function runConditional(
  shell: Shell,
  text: string,
  { conditions, scanner }: Run,
): Promise<{ failed: boolean } | null> {
  const inert = new CommandReader(text, null)
  const { name } = inert
  if (!names.has(name)) return null
  let reader = inert
  /** Reads the condition, whose variables and backticks count only if it is asked for. */
  const condition = async () => {
    reader = new CommandReader(text, { lookUp: shell.variables.get, runs: shell.outputOf })
    const words = (await reader.words()).join(' ')
    const holds = booleanOf(words)
    if (holds === null)
      throw new ShellError(
        `unrecognized value "${words}" for "\\${name} expression": Boolean expected`,
      )
    return holds
  }
  const tolerant = async () => {
    try {
      return await condition()
    } catch (error) {
      if (!(error instanceof ShellError)) throw error
      shell.complainOf(error.message)
      return false
    }
  }
  let change: { query: string } | { complaint: string } = { query: scanner.query }
  if (name === 'if') await conditions.open(scanner.query, tolerant)
  else if (name === 'endif') change = conditions.close(scanner.query)
  else if (name === 'elif') change = await conditions.next('elif', scanner.query, tolerant)
  else change = await conditions.next('else', scanner.query, async () => true)
  if ('complaint' in change) {
    shell.complainOf(change.complaint)
    return { failed: true }
  }
  if (change.query !== scanner.query) scanner.query = change.query
  const isCondition = name === 'if' || name === 'elif'
  for (const word of await reader.words())
    if (!isCondition) shell.complain(`\\${name}: extra argument "${word}" ignored`)
  scanner.add(reader.leftover())
  return { failed: false }
}
