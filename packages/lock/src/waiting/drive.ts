import type { Steps } from './contend.ts'
import type { LockFile } from '../lock-file.ts'
import type { Patience } from './patience.ts'

/**
 * The pauses between polls, in milliseconds, repeated in this order. They are used if the kernel cannot wake us.
 *
 * They restart at 1 ms, so that a poller can get the lock between others who hold it nearly all the time.
 */
const teeth = [1, 2, 4, 8, 16, 32]

/** Drives the steps of a wait without blocking. */
export async function drive<Result>(steps: Steps<Result>, patience: Patience): Promise<Result> {
  try {
    for (let tooth = 0; ; tooth++) {
      const step = steps.next()
      if (step.done === true) return step.value
      patience.check()
      await patience.pause((wake) => setTimeout(wake, teeth[tooth % teeth.length]))
    }
  } finally {
    giveUp(steps)
  }
}

/** Drives the steps of a wait, blocking the thread. */
export function driveSync<Result>(
  steps: Steps<Result>,
  patience: Patience,
  onPause: (blocking: LockFile | null) => void,
): Result {
  const nobody = new Int32Array(new SharedArrayBuffer(4))
  try {
    for (let tooth = 0; ; tooth++) {
      const step = steps.next()
      if (step.done === true) return step.value
      onPause(step.value)
      patience.check()
      Atomics.wait(nobody, 0, 0, Math.min(teeth[tooth % teeth.length]!, patience.remaining))
    }
  } finally {
    giveUp(steps)
  }
}

/** Lets the steps clean up. Finished steps are not affected. */
function giveUp(steps: Steps<unknown>): void {
  steps.return(undefined)
}
