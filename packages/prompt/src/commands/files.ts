import { statSync } from 'node:fs'
import { ShellError } from '../errors.ts'
import { exitStatus } from '../exit-status.ts'
import { page } from '../running/page.ts'
import { runFile } from '../running/run-file.ts'
import { openTarget, reasonOf } from '../state/open-target.ts'
import type { Command, CommandContext, Outcome } from './command.ts'

/** The commands that read and write files, and run programs. */
export const files: readonly Command[] = [
  {
    names: ['i', 'include'],
    usage: 'FILE',
    summary: 'run a script',
    run: async (context) => await included(context, 'i'),
  },
  {
    names: ['ir', 'include_relative'],
    usage: 'FILE',
    summary: 'run a script, from the directory of this one',
    run: async (context) => await included(context, 'ir'),
  },
  {
    names: ['o', 'out'],
    usage: '[FILE]',
    summary: 'send results to a file or |command, or to the terminal again',
    async run({ shell, reader }) {
      const name = await reader.word({ pipe: true })
      await shell.sendTo(name === null ? shell.stdout : await openTarget(shell, name))
      return undefined
    },
  },
  {
    names: ['w', 'write'],
    usage: 'FILE',
    summary: 'write the query so far to a file or |command',
    async run({ shell, reader, run }) {
      const name = await reader.word({ pipe: true })
      if (name === null) throw new ShellError(String.raw`\w: missing required argument`)
      const target = await openTarget(shell, name)
      await target.write(`${run?.scanner.query || shell.lastQuery}\n`)
      await target.close()
      return undefined
    },
  },
  {
    names: ['s'],
    usage: '[FILE]',
    summary: 'print what was typed, or write it to a file',
    async run({ shell, reader }) {
      const name = await reader.word()
      const lines = shell.terminal?.history() ?? []
      const text = lines.map((line) => `${line}\n`).join('')
      if (name === null) await page(shell, text)
      else {
        const target = await openTarget(shell, name)
        await target.write(text)
        await target.close()
      }
      return undefined
    },
  },
  {
    names: ['cd'],
    usage: '[DIRECTORY]',
    summary: 'change the directory for files and programs',
    async run({ shell, reader }) {
      const path = shell.fullPath((await reader.word()) ?? '~')
      try {
        if (!statSync(path).isDirectory()) throw new ShellError(`${path}: Not a directory`)
      } catch (error) {
        throw new ShellError(
          String.raw`\cd: could not change directory to ` +
            `"${path}": ${reasonOf(error as Error)}`,
        )
      }
      shell.directory = path
      return undefined
    },
  },
  {
    names: ['!'],
    usage: '[COMMAND]',
    summary: 'run a command of the system, or a shell',
    takesLine: true,
    async run({ shell, reader }) {
      const command = reader.line() || 'exec "${SHELL:-/bin/sh}"'
      const status = await shell.runCommand(command)
      shell.variables.set('SHELL_ERROR', status === 0 ? 'false' : 'true')
      shell.variables.set('SHELL_EXIT_CODE', String(status))
      return undefined
    },
  },
]

async function included(
  { shell, reader, include }: CommandContext,
  name: 'i' | 'ir',
): Promise<Outcome> {
  const path = await reader.word()
  if (path === null) throw new ShellError(`\\${name}: missing required argument`)
  const directory = name === 'ir' ? (shell.source?.directory ?? null) : null
  const status = await runFile({ shell, include }, path, directory)
  return status === exitStatus.done ? undefined : 'failed'
}
