import { asksToEnd, statusOfSignal } from '@howdah/terminal'
import { type Arguments, readArguments } from './arguments.ts'
import { ShellError } from './errors.ts'
import { exitStatus } from './exit-status.ts'
import type { Host, ShellOptions } from './host.ts'
import { runScripts } from './running/run-scripts.ts'
import { openTarget } from './state/open-target.ts'
import { Shell } from './state/shell.ts'

/**
 * Runs scripts or stdin, or prompts if stdin is a terminal, as psql does. Returns an exit status: psql's, and 128 plus its number
 * after a signal.
 *
 * Scripts stop at their first error, unless `ON_ERROR_STOP` is off.
 */
export async function runShell(host: Host, options: ShellOptions): Promise<number> {
  const shell = new Shell(host)
  let args: Arguments
  try {
    args = readArguments(options.args ?? [])
    const scripts = [...(options.scripts ?? []), ...args.scripts]
    const isPrompt = scripts.length === 0 && host.stdin.isTTY === true && host.stdout.isTTY === true
    if (!isPrompt) shell.variables.set('ON_ERROR_STOP', 'on')
    args.apply(shell)
    if (args.output !== null) await shell.sendTo(await openTarget(shell, args.output))
    await shell.connect({ database: options.database })
    return await (isPrompt
      ? prompt(shell)
      : ending(shell, async () => await runScripts(shell, scripts, args.singleTransaction)))
  } catch (error) {
    if (!(error instanceof ShellError)) throw error
    host.complain(`howdah: ${error.message}`)
    return exitStatus.misused
  } finally {
    await shell.sendTo(shell.stdout)
    await shell.disconnect()
  }
}

/** Runs an action that a signal ends. */
async function ending(shell: Shell, action: () => Promise<number>): Promise<number> {
  const { host } = shell
  const receive = (signal: NodeJS.Signals) => {
    if (!asksToEnd(signal)) return
    shell.ended ??= statusOfSignal(signal)
    shell.interrupt()
    host.stdin.destroy()
  }
  try {
    const status = await host.during(receive, action)
    return shell.ended ?? status
  } catch (error) {
    // Whatever was going on fails after a signal.
    if (shell.ended === null) throw error
    return shell.ended
  }
}

async function prompt(shell: Shell): Promise<number> {
  const { runPrompt } = await import('./terminal/run-prompt.ts')
  return await runPrompt(shell)
}
