import { setTimeout as sleep } from 'node:timers/promises'
import { errno } from '@howdah/durable'
import type { LockfileFs, LockfileStats } from './options.ts'

/** A call of a file system, which may be another than Node's, with its path; `null` is a pause of a millisecond. */
type Call = readonly ['realpath' | 'stat' | 'rmdir', string] | null

/** A procedure that is the same for synchronous and asynchronous callers. It yields calls, and gets their results. */
export type Steps<Result> = Generator<Call, Result, unknown>

/** Pauses for a millisecond. */
export function* pause(): Steps<void> {
  yield null
}

/** The real path of a file. Throws the errors of the file system. */
export function* realpath(path: string): Steps<string> {
  return (yield ['realpath', path]) as string
}

/** The modification time of a file, in ms since 1970; `null` if there is no file. Throws the errors of the file system. */
export function* changedAt(path: string): Steps<number | null> {
  try {
    const { mtime } = (yield ['stat', path]) as LockfileStats
    return mtime.getTime()
  } catch (error) {
    if (errno(error) === 'ENOENT') return null
    throw error
  }
}

/** Removes an empty directory, unless it is gone. Throws the errors of the file system. */
export function* removeDirectory(path: string): Steps<void> {
  try {
    yield ['rmdir', path]
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw error
  }
}

/** Runs steps by the calls that take a callback. */
export async function drive<Result>(steps: Steps<Result>, fs: LockfileFs): Promise<Result> {
  let step = steps.next()
  while (step.done !== true) {
    if (step.value === null) {
      await sleep(1)
      step = steps.next()
      continue
    }
    const [name, path] = step.value
    const [error, result] = await new Promise<readonly unknown[]>((resolve) => {
      fs[name](path, (...outcome: readonly unknown[]) => resolve(outcome))
    })
    step = error ? steps.throw(error) : steps.next(result)
  }
  return step.value
}

/** Runs steps by the synchronous calls. */
export function driveSync<Result>(steps: Steps<Result>, fs: LockfileFs): Result {
  let step = steps.next()
  while (step.done !== true) {
    if (step.value === null) {
      Atomics.wait(nobody, 0, 0, 1)
      step = steps.next()
      continue
    }
    const [name, path] = step.value
    let result: unknown
    try {
      const call: ((path: string) => unknown) | undefined = fs[`${name}Sync`]
      if (call === undefined) throw new TypeError(`the option fs has no ${name}Sync`)
      result = call.call(fs, path)
    } catch (error) {
      step = steps.throw(error)
      continue
    }
    step = steps.next(result)
  }
  return step.value
}

/** A synchronous pause waits for this number to change, which it never does. */
const nobody = new Int32Array(new SharedArrayBuffer(4))
