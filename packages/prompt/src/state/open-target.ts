import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { ShellError } from '../errors.ts'
import type { OutputTarget } from './output-target.ts'
import type { Shell } from './shell.ts'

/** Opens what `\o` and `\g` name: a file, or with `|` in front a shell command that reads it. Throws if it cannot be opened. */
export async function openTarget(shell: Shell, name: string): Promise<OutputTarget> {
  return name.startsWith('|') ? await toCommand(shell, name.slice(1)) : await toFile(shell, name)
}

async function toFile(shell: Shell, name: string): Promise<OutputTarget> {
  const handle = await open(shell.fullPath(name), 'w').catch((error: Error) => {
    throw new ShellError(`${name}: ${reasonOf(error)}`)
  })
  return {
    write: async (data) => await handle.appendFile(data),
    close: async () => await handle.close(),
  }
}

/** A shell command that reads what is written. */
export async function toCommand(shell: Shell, command: string): Promise<OutputTarget> {
  const child = await shell.spawn(command, { stdin: 'pipe' })
  const { stdin } = child
  const ended = once(child, 'close')
  // A command need not read all.
  stdin?.on('error', () => undefined)
  return {
    async write(data) {
      if (stdin === null || stdin.destroyed || stdin.write(data)) return
      await Promise.race([once(stdin, 'drain'), ended])
    },
    async close() {
      stdin?.end()
      await ended
    },
  }
}

/** The system's words for why a file cannot be used, as psql has them. */
export function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException
  return reasons.get(code ?? '') ?? error.message
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'Permission denied'],
  ['EISDIR', 'Is a directory'],
  ['ENOENT', 'No such file or directory'],
  ['ENOTDIR', 'Not a directory'],
])
