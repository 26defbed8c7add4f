import { page } from '../running/page.ts'
import type { Command } from './command.ts'

/** The titles of groups of commands, and the commands. */
export type Groups = readonly (readonly [title: string, commands: readonly Command[]])[]

/** `\?`, which lists all commands. */
export const helpOn = (groups: () => Groups): Command => ({
  names: ['?'],
  summary: 'this help',
  async run({ shell, reader }) {
    await reader.words()
    const lines: string[] = []
    for (const [title, commands] of groups()) {
      lines.push(title)
      for (const { names, usage = '', summary } of commands) {
        const syntax = `\\${names[0] ?? ''} ${usage}`.trimEnd()
        if (summary !== undefined) lines.push(`  ${syntax.padEnd(26)} ${summary}`)
      }
      lines.push('')
    }
    await page(shell, `${lines.join('\n')}${notes}\n`)
    return undefined
  },
})

const notes = String.raw`Queries end with a semicolon. Ctrl-C cancels what runs, or throws away what was typed; Ctrl-D leaves.`
