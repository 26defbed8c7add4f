import { findProgram } from '@howdah/durable'
import { toCommand } from '../state/open-target.ts'
import type { Shell } from '../state/shell.ts'

/** Writes a text to the terminal, through a pager if it is longer than that and somebody is there to read it. */
export async function page(shell: Shell, text: string): Promise<void> {
  const command = isLong(shell, text) ? pagerOf(shell) : null
  if (command === null || shell.terminal === null) {
    await shell.stdout.write(text)
    return
  }
  shell.terminal.suspend()
  try {
    const pager = await toCommand(shell, command)
    await pager.write(text)
    await pager.close()
  } finally {
    shell.terminal.resume()
  }
}

function isLong({ print, host, isInteractive }: Shell, text: string): boolean {
  if (!isInteractive || print.pager === 'off') return false
  if (print.pager === 'always') return true
  const { columns = 80, rows = 24 } = host.stdout
  let lines = 0
  for (const line of text.split('\n')) lines += Math.max(1, Math.ceil(line.length / columns))
  return lines > rows && lines >= print.pagerMinLines
}

/** The command of the pager; `null` if none is wanted, or none is there. */
function pagerOf({ env }: Shell): string | null {
  const chosen = env['PSQL_PAGER'] ?? env['PAGER']
  if (chosen !== undefined) return chosen.trim() === '' ? null : chosen
  return ['less', 'more'].find((name) => findProgram(name, env['PATH']) !== null) ?? null
}
