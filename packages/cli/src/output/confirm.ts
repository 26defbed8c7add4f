import { ask } from '@howdah/terminal'
import type { Context } from '../program/command.ts'

/**
 * Asks on the terminal whether something is meant. `true` without asking if there is no terminal, or with `--yes`, `--force` or
 * `--json`.
 */
export async function confirm(context: Context, question: string): Promise<boolean> {
  const { yes, force, json } = context.options
  if (yes || force || json) return true
  return (await ask(context, question)) ?? true
}
