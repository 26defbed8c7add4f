import { once } from 'node:events'
import { createReadStream, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Include } from '../commands/command.ts'
import { exitStatus } from '../exit-status.ts'
import { ByteLines } from '../scanning/line-source.ts'
import { reasonOf } from '../state/open-target.ts'
import type { Shell } from '../state/shell.ts'

/** Runs a script, or stdin for `-`. Returns `exitStatus.failed` if it cannot be read, which has been said then. */
export async function runFile(
  { shell, include }: { readonly shell: Shell; readonly include: Include },
  path: string,
  directory: string | null = null,
): Promise<number> {
  if (path === '-') {
    shell.stdin.name = '<stdin>'
    return await include(shell.stdin)
  }
  const named = directory === null || /^[/~]/.test(path) ? path : join(directory, path)
  try {
    return await include(await openLines(shell.fullPath(named), named))
  } catch (error) {
    if (!isOfSystem(error)) throw error
    shell.complainOf(`${named}: ${reasonOf(error)}`)
    return exitStatus.failed
  }
}

/** Opens a file. Throws the system's error if it cannot be read. */
async function openLines(path: string, name: string): Promise<ByteLines> {
  const stream = createReadStream(path)
  await once(stream, 'open')
  if (statSync(path).isDirectory())
    throw Object.assign(new Error('it is a directory'), { code: 'EISDIR', syscall: 'read' })
  return new ByteLines(stream, { name, directory: dirname(path) })
}

function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
