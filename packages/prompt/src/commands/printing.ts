import type { CommandContext, Command } from './command.ts'
import { describePrintOption, listPrintOptions, setPrintOption } from './pset.ts'

/** The commands that say how tables are printed. */
export const printing: readonly Command[] = [
  {
    names: ['pset'],
    usage: '[NAME [VALUE]]',
    summary: 'set how tables are printed, or list the settings',
    async run({ shell, reader }) {
      const [name, value] = [await reader.word(), await reader.word()]
      if (name === null) await shell.stdout.write(listPrintOptions(shell.print))
      else await apply(shell, name, value)
      return undefined
    },
  },
  {
    names: ['x'],
    usage: '[on|off|auto]',
    summary: 'print a line for each value',
    run: async (context) => await setting(context, 'expanded'),
  },
  {
    names: ['a'],
    summary: 'switch between aligned and unaligned tables',
    async run({ shell }) {
      const next = shell.print.format === 'aligned' ? 'unaligned' : 'aligned'
      await apply(shell, 'format', next)
      return undefined
    },
  },
  {
    names: ['t'],
    usage: '[on|off]',
    summary: 'print rows only',
    run: async (context) => await setting(context, 'tuples_only'),
  },
  {
    names: ['f'],
    usage: '[TEXT]',
    summary: 'what separates the values of unaligned tables',
    run: async (context) => await setting(context, 'fieldsep'),
  },
  {
    names: ['C'],
    usage: '[TEXT]',
    summary: 'the title of tables',
    run: async (context) => await setting(context, 'title'),
  },
]

async function setting({ shell, reader }: CommandContext, name: string): Promise<undefined> {
  await apply(shell, name, await reader.word())
  return undefined
}

async function apply(
  shell: CommandContext['shell'],
  name: string,
  value: string | null,
): Promise<void> {
  setPrintOption(shell.print, name, value)
  const words = describePrintOption(shell.print, name, value)
  if (words !== null && !shell.isQuiet) await shell.stdout.write(`${words}\n`)
}
