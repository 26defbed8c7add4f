import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Cluster, type RunOptions, type Session, temporary } from '@howdah/cluster'
import { findProject, makeHowdahDirectory, missing, problemOf, type Project } from '@howdah/project'
import { defaultStrategy, parseConstraint, type Strategy } from '@howdah/runtime'
import type { Asked } from './asked.ts'
import { ProvisionError } from './errors.ts'
import { Provision } from './provision.ts'
import { runOptionsOf, tcpPasswordOf } from './run-options.ts'

/** How to open a project. Options of `run` win over the settings in `howdah.json`. */
export interface OpenProjectOptions extends Omit<RunOptions, 'init' | 'ifExists' | 'throwAway'> {
  /** A directory in the project; the working directory by default. */
  readonly from?: string | undefined
  /** Run a new cluster with the project's settings, which is removed when its last user has left. It gets no `seed`. */
  readonly temporary?: boolean | undefined
  /** Where to look for PostgreSQL; as in `Cluster` by default. */
  readonly strategy?: Strategy | undefined
  /** The variables in which passwords are looked up, and of commands of `init` and `seed`; by default the process's. */
  readonly env?: NodeJS.ProcessEnv | undefined
  /** Called with messages for the user, such as that `init` has changed. */
  readonly onNotice?: ((message: string) => void) | undefined
}

/**
 * Becomes a user of the cluster of the project here, as the `howdah` command does: with what `howdah.json` asks for, and in a
 * linked worktree as a fork of the main checkout's cluster. Of the environment, only variables count that `howdah.json` names.
 *
 * Throws as `run` does, `ERR_PROJECT_SETTINGS`, `ERR_PROVISION_…`, and as `forkCluster` of `@howdah/backup` does.
 *
 * @example
 * await using db = await openProject()
 */
export async function openProject(options: OpenProjectOptions = {}): Promise<Session> {
  // Made before the first await, because the default strategy looks at the modules that the caller can load.
  const { strategy = defaultStrategy(), onNotice, env = process.env, from, ...others } = options
  const { temporary: isTemporary = false, ...given } = others
  const found = findProject(from ?? process.cwd())
  const isShared = found.settings.worktrees === 'shared' && found.main !== null && !isTemporary
  const project = isShared ? findProject(found.main) : found
  const asked = askedBy(project)
  const sharesPorts = isTemporary || project.kind === 'linked-worktree'
  const { runtime, runtimePlace, ...run } =
    asked === null ? {} : runOptionsOf(asked, { sharesPorts })
  const constraint = runtime === undefined ? undefined : parseConstraint(runtime)
  const clusterOptions = { strategy, onNotice, runtime: constraint, runtimePlace }
  const provision =
    asked === null
      ? null
      : await Provision.read(asked, { env, signal: given.signal, isSeeded: !isTemporary })
  const wanted = Object.entries(given).filter(([, value]) => value !== undefined)
  const all: RunOptions = {
    ...run,
    ...(asked !== null && run.tcp !== undefined && { password: tcpPasswordOf(asked, env) }),
    ...Object.fromEntries(wanted),
    settings: { ...run.settings, ...given.settings },
    init: provision?.step,
  }
  if (isTemporary) return await temporary({ ...clusterOptions, ...all, linger: given.linger })
  const cluster = new Cluster(join(project.howdahDirectory, 'data'), {
    ...clusterOptions,
    within: project.path,
  })
  if (await cluster.exists()) {
    // The name of the superuser is one for a new cluster.
    if (given.user === undefined) all.user = undefined
  } else await prepare(project, cluster, clusterOptions)
  const session = await cluster.run({
    ...all,
    perishes: given.perishes ?? project.kind === 'linked-worktree',
  })
  try {
    for (const { key } of (await provision?.settle(session)) ?? [])
      onNotice?.(
        `${key} in ${asked?.path} has changed since this cluster was made; run "howdah apply"`,
      )
    return session
  } catch (error) {
    await session.leave().catch(() => undefined)
    throw error
  }
}

function askedBy({ settingsFile, settings }: Project): Asked | null {
  return settingsFile === null ? null : { path: settingsFile, settings }
}

/** Makes the `.howdah` of a project, and in a linked worktree forks the main checkout's cluster if there is one. */
async function prepare(
  { howdahDirectory, kind, main, path, settings }: Project,
  cluster: Cluster,
  options: ConstructorParameters<typeof Cluster>[1],
): Promise<void> {
  const uid = process.getuid?.() ?? 0
  const problem = problemOf(howdahDirectory, uid)
  if (problem !== null && problem !== missing) {
    const why = `${problem}, so that what lies in it is not trusted; move it away`
    throw new ProvisionError('ERR_PROVISION_DIRECTORY', { path: howdahDirectory, key: null }, why)
  }
  makeHowdahDirectory(howdahDirectory)
  if (kind !== 'linked-worktree' || main === null || settings.worktrees === 'empty') return
  const original = join(main, '.howdah')
  const isThere = existsSync(join(original, 'data/PG_VERSION'))
  if (!isThere || problemOf(original, uid) !== null) return
  const { forkCluster } = await import('@howdah/backup')
  await forkCluster(new Cluster(join(original, 'data'), options), {
    to: cluster.dataDir,
    within: path,
  })
}
