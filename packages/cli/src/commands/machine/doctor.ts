import { type CheckName, diagnose, type Finding, isWrong, turboFinding } from '@howdah/doctor'
import { TemplateCache } from '@howdah/cluster'
import { flockBinding } from '@howdah/lock'
import { defaultStrategy } from '@howdah/runtime'
import type { Output } from '@howdah/terminal'
import type { Context } from '../../program/command.ts'
import { CliError } from '../../errors.ts'
import { exitStatus } from '../../exit-status.ts'
import { openCluster } from '../../opening/open-cluster.ts'

/** Reports problems and their cures, or mends them. */
export async function doctor(context: Context): Promise<number> {
  const { io, output, options } = context
  if (options.clearTemplates === true) await clearTemplates(output)
  const dataDirs = clusterHere(context)
  const strategy = defaultStrategy({ env: io.env, from: io.from })
  const turbo = turboHere(context)
  const diagnosed = await diagnose({
    dataDirs: dataDirs ?? [],
    scope: options.here === true ? 'clusters' : 'machine',
    fix: options.fix === true,
    strategy,
  })
  const findings = turbo === null ? diagnosed : [...diagnosed, turbo]
  if (options.json) await output.json(findings)
  else await print(output, findings, options.fix === true)
  return dataDirs === null || findings.some(isWrong) ? exitStatus.failed : exitStatus.done
}

async function clearTemplates(output: Output): Promise<void> {
  const cache = await TemplateCache.existing()
  const count = (await cache?.list())?.length ?? 0
  await cache?.clear()
  const some = count === 1 ? '1 template' : `${count} templates`
  output.message(count === 0 ? 'there were no templates' : `removed ${some}`)
}

/** A problem with the variables that turbo hides from its tasks. */
function turboHere(context: Context): Finding | null {
  try {
    const { found } = openCluster(context).place
    return found === null ? null : turboFinding(found.workTree?.top ?? found.path)
  } catch {
    // The reason is reported with the cluster.
    return null
  }
}

/** The data directory of the cluster here; `null` if it cannot be chosen, after reporting why. */
function clusterHere(context: Context): string[] | null {
  try {
    return [openCluster(context).cluster.dataDir]
  } catch (error) {
    if (!(error instanceof CliError && error.code === 'ERR_CLI_FOREIGN_DIRECTORY')) throw error
    context.output.complain(`howdah: ${error.message}`)
    return null
  }
}

const headings: Readonly<Record<CheckName, string>> = {
  locks: 'locks',
  'stuck-servers': 'servers that do not stop',
  'stray-servers': 'stray servers',
  orphans: 'processes of killed servers',
  'shared-memory': 'shared memory',
  'stale-pid-files': 'stale pid files',
  'stale-links': 'stale links',
  'lost-files': 'files that were removed',
  'unfinished-work': 'unfinished work',
  permissions: 'owners and permissions',
  runtimes: 'PostgreSQL',
  templates: 'templates of new clusters',
  modes: 'modes',
  limits: 'limits of the system',
  'copied-alive': 'clusters that are copied while they run',
  turbo: 'turbo',
}

async function print(output: Output, findings: readonly Finding[], fixing: boolean): Promise<void> {
  for (const check of new Set(findings.map((finding) => finding.check))) {
    await output.line(`${headings[check]}:`)
    for (const finding of findings) {
      if (finding.check === check) await output.write(describe(finding))
    }
  }
  const wrong = findings.filter(isWrong)
  if (wrong.length === 0) await output.line(`nothing is wrong; locks by ${flockBinding().name}`)
  const mendable = wrong.filter(({ fixable }) => fixable).length
  if (mendable > 0 && !fixing) {
    const some = mendable === wrong.length ? '' : `${mendable} of ${wrong.length} `
    output.message(`to have ${some}mended: howdah doctor --fix`)
  }
}

function describe({ severity, what, cure, fixed, obstacle }: Finding): string {
  const lines = [`  ${severity}: ${what}`]
  if (fixed) lines.push('    mended')
  if (obstacle !== null) lines.push(`    not mended: ${obstacle}`)
  if (!fixed) lines.push(`    cure: ${cure}`)
  return lines.map((line) => `${line.replaceAll('\n', '\n      ')}\n`).join('')
}
