import { Guard, type GuardOptions } from '../watchdog/guard.ts'
import type { Paths } from '../paths.ts'
import type { Subject } from '../subject.ts'
import { withSuppressed } from '../with-suppressed.ts'

/** An action that runs while the subject is in use. */
export type Action<Options, Result> = (guard: Guard<Options>) => Result | Promise<Result>

/**
 * Joins, runs the action, and leaves; the last user stops the subject.
 *
 * If the action fails, its error is thrown; an error of leaving becomes its property `suppressed`. If only leaving fails,
 * that error is thrown. Rejects as {@link Guard.join} and `action` do.
 */
export async function runAndStop<Options, Result>(
  subject: Subject<Options>,
  paths: Paths,
  options: GuardOptions<Options>,
  action: Action<Options, Result>,
): Promise<Result> {
  const guard = await Guard.join(subject, paths, options)
  let result: Result
  try {
    result = await action(guard)
  } catch (error) {
    throw await withSuppressed(error, () => guard.leave())
  }
  await guard.leave()
  return result
}

/** Like {@link runAndStop}, but rejects with `ERR_COORDINATE_DOES_NOT_EXIST` if the subject does not exist. */
export function runAndStopIfExists<Options, Result>(
  subject: Subject<Options>,
  paths: Paths,
  options: GuardOptions<Options>,
  action: Action<Options, Result>,
): Promise<Result> {
  return runAndStop(subject, paths, { ...options, ifExists: true }, action)
}

/** Like {@link runAndStop}, but the last user destroys the subject. */
export function runAndDestroy<Options, Result>(
  subject: Subject<Options>,
  paths: Paths,
  options: GuardOptions<Options>,
  action: Action<Options, Result>,
): Promise<Result> {
  return runAndStop(subject, paths, { ...options, atEnd: 'destroy' }, action)
}
