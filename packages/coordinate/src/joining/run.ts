import { Guard, type GuardOptions } from '../watchdog/guard.ts'
import type { Place } from '../place.ts'
import type { Subject } from '../subject.ts'
import { withSuppressed } from '../with-suppressed.ts'

/** What is done while the subject is in use. */
export type Action<Options, Result> = (guard: Guard<Options>) => Result | Promise<Result>

/**
 * Joins, runs the action, and leaves; the last one stops the subject.
 *
 * The action's own failure wins, and carries a failure of leaving as its `suppressed` property; a failure of leaving
 * alone is thrown. Rejects as {@link Guard.join} and `action` do.
 */
export async function runAndStop<Options, Result>(
  subject: Subject<Options>,
  place: Place,
  options: GuardOptions<Options>,
  action: Action<Options, Result>,
): Promise<Result> {
  const guard = await Guard.join(subject, place, options)
  let result: Result
  try {
    result = await action(guard)
  } catch (error) {
    throw await withSuppressed(error, () => guard.leave())
  }
  await guard.leave()
  return result
}

/** The same, but a subject that does not exist is `ERR_COORDINATE_DOES_NOT_EXIST`. */
export function runAndStopIfExists<Options, Result>(
  subject: Subject<Options>,
  place: Place,
  options: GuardOptions<Options>,
  action: Action<Options, Result>,
): Promise<Result> {
  return runAndStop(subject, place, { ...options, ifExists: true }, action)
}

/** The same, and the last one destroys the subject. */
export function runAndDestroy<Options, Result>(
  subject: Subject<Options>,
  place: Place,
  options: GuardOptions<Options>,
  action: Action<Options, Result>,
): Promise<Result> {
  return runAndStop(subject, place, { ...options, atEnd: 'destroy' }, action)
}
