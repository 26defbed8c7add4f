import {
  bundled,
  installed,
  onEnvironmentPath,
  onPlatform,
  removeRuntime,
  type Runtime,
} from '@howdah/runtime'
import { columns } from '@howdah/terminal'
import type { Context } from '../../program/command.ts'
import { misused } from '../../errors.ts'
import { errno } from '@howdah/durable'
import { exitStatus } from '../../exit-status.ts'
import { openCluster } from '../../opening/open-cluster.ts'

/** Lists the PostgreSQLs found here, or installs or removes one. */
export async function runtimes(
  context: Context,
  [action, version]: readonly string[],
): Promise<number> {
  if (action === undefined) return await list(context)
  if (action !== 'install' && action !== 'remove') {
    throw misused(`runtimes ${action}: there is no such action; "install" or "remove" a version`)
  }
  if (version === undefined) throw misused(`runtimes ${action}: say which version, such as 16`)
  return await (action === 'install' ? install(context, version) : remove(context, version))
}

/** A runtime, and the strategy that found it. */
interface Found {
  readonly strategy: string
  readonly runtime: Runtime
}

async function list(context: Context): Promise<number> {
  const { io, output, options } = context
  const strategies = [
    onEnvironmentPath(io.env),
    onPlatform({ env: io.env }),
    installed(),
    bundled({ from: io.from }),
  ]
  const [used, ...found] = await Promise.all([
    usedBy(context),
    ...strategies.map(async (strategy) =>
      (await strategy.runtimes()).map((runtime) => ({ strategy: strategy.name, runtime })),
    ),
  ])
  const all = withoutRepetition(found.flat())
  if (options.json) {
    await output.json(
      all.map(({ strategy, runtime }) => ({
        version: runtime.version.toString(),
        bindir: runtime.bindir,
        strategy,
        used: runtime.bindir === used?.bindir,
        programs: [...runtime.programs],
      })),
    )
    return exitStatus.done
  }
  const rows = all.map(({ strategy, runtime: { version, bindir } }) => {
    const mark = bindir === used?.bindir ? '*' : ' '
    return [`${mark} ${version.toString()}`, strategy, bindir]
  })
  for (const line of await columns(rows)) await output.line(line)
  if (all.length === 0)
    output.message('there is none; install one with "howdah runtimes install 18"')
  return exitStatus.done
}

/** The runtime that the cluster here would use. */
async function usedBy(context: Context): Promise<Runtime | null> {
  try {
    return await openCluster(context).cluster.runtime()
  } catch (error) {
    if (['ERR_RUNTIME_NOT_FOUND', 'ERR_CLI_FOREIGN_DIRECTORY'].includes(errno(error))) return null
    throw error
  }
}

/** Each directory once, with the first strategy that found it. */
function withoutRepetition(found: readonly Found[]): Found[] {
  const seen = new Set<string>()
  return found.filter(({ runtime }) => {
    const isNew = !seen.has(runtime.bindir)
    seen.add(runtime.bindir)
    return isNew
  })
}

async function install(context: Context, version: string): Promise<number> {
  const { output, options } = context
  const { installWithProgress } = await import('../../opening/runtime/install-with-progress.ts')
  const runtime = await installWithProgress(context, version)
  if (options.json)
    await output.json({ version: runtime.version.toString(), bindir: runtime.bindir })
  else output.message(`installed ${runtime.toString()}`)
  return exitStatus.done
}

async function remove({ output, options }: Context, version: string): Promise<number> {
  const changed = (await removeRuntime(version, { force: options.force === true })) === 'modified'
  if (options.json) await output.json({ changed, version })
  else
    output.message(
      changed ? `removed PostgreSQL ${version}` : `PostgreSQL ${version}: was not installed`,
    )
  return exitStatus.done
}
