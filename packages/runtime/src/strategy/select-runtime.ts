import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Runtime } from '../runtime.ts'
import type { Constraint } from '../version/constraint.ts'
import { type ConstraintLike, constraintOf } from '../version/constraint-like.ts'
import { satisfies } from '../version/satisfies.ts'
import type { Strategy } from './strategy.ts'

/**
 * The runtime that a strategy finds for a constraint, or `null`.
 *
 * Looks first into a directory that the constraint names, even if the strategy would not look there. Throws
 * `ERR_RUNTIME_NOT_A_RUNTIME` if no PostgreSQL runs from that directory.
 */
export async function selectRuntime(
  strategy: Strategy,
  like: ConstraintLike,
): Promise<Runtime | null> {
  const constraint = constraintOf(like)
  for (const path of directoriesOf(constraint)) {
    const runtime = await runtimeIn(path)
    if (satisfies(runtime, constraint)) return runtime
  }
  return await strategy.select(constraint)
}

/**
 * The runtime in a directory, which is the directory of its programs or the parent of its `bin`. Throws the errors of {@link
 * Runtime.at}.
 */
export async function runtimeIn(
  directory: string,
  options: { cacheDir?: string } = {},
): Promise<Runtime> {
  const below = join(resolve(directory), 'bin')
  const hasBin = !existsSync(join(directory, 'postgres')) && existsSync(join(below, 'postgres'))
  return await Runtime.at(hasBin ? below : directory, options)
}

function directoriesOf(constraint: Constraint): string[] {
  if (constraint.kind === 'directory') return [constraint.path]
  const isGroup = constraint.kind === 'any' || constraint.kind === 'all'
  return isGroup ? constraint.constraints.flatMap(directoriesOf) : []
}
