import { asksToEnd, statusOfSignal } from '@howdah/terminal'
import { ConnectionLost } from '../errors.ts'
import { exitStatus } from '../exit-status.ts'
import { runSource } from '../running/run-source.ts'
import type { Shell } from '../state/shell.ts'
import { History } from './history.ts'
import { LineEditor } from './line-editor.ts'

/** Prompts for queries and commands on the terminal, until Ctrl-D or `\q`. Returns an exit status. */
export async function runPrompt(shell: Shell): Promise<number> {
  const { host, connection } = shell
  const history = await History.open(shell)
  const editor = new LineEditor(shell, history)
  shell.terminal = editor
  if (!shell.isQuiet)
    host.message(
      `howdah ${host.version}, PostgreSQL ${connection?.facts.version ?? ''}; the built-in prompt, because there is no psql here\n` +
        'Type "help" for help.\n',
    )
  const receive = (signal: NodeJS.Signals) => {
    if (signal === 'SIGINT') return editor.interrupt()
    if (!asksToEnd(signal)) return
    shell.ended ??= statusOfSignal(signal)
    shell.interrupt()
    editor.end()
  }
  const run = async () => {
    try {
      return await runSource(shell, editor)
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
      return exitStatus.lost
    } finally {
      editor.end()
    }
  }
  const status = await host.during(receive, run, { count: false })
  return shell.ended ?? status
}
