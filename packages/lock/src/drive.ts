import { watch, type FSWatcher } from 'node:fs'
import type { Steps } from './contend.ts'
import type { LockFile } from './lock-file.ts'
import type { Patience } from './patience.ts'

/**
 * How long to pause at most before looking again, in milliseconds, over and over.
 *
 * A killed holder touches nothing and foreign ones neither, so that this bounds how long their release goes unnoticed;
 * the short teeth are what gets a poller in between others who hold the lock most of the time.
 */
const teeth = [1, 2, 4, 8, 16, 32]

/** Drives the steps of a wait without blocking: pauses until the file is touched, or for a tooth. */
export async function drive<Result>(steps: Steps<Result>, patience: Patience): Promise<Result> {
  let alarm: Alarm | undefined
  try {
    let tooth = 0
    for (;;) {
      const step = steps.next()
      if (step.done === true) return step.value
      patience.check()
      if (alarm?.file === step.value) {
        const rung = await alarm.wait(teeth[tooth % teeth.length]!, patience)
        tooth = rung ? 0 : tooth + 1
      } else {
        // It may have been released before it was watched: look again before pausing.
        alarm?.close()
        alarm = new Alarm(step.value)
        tooth = 0
      }
    }
  } finally {
    alarm?.close()
    giveUp(steps)
  }
}

/** Drives the steps of a wait, blocking the thread. */
export function driveSync<Result>(
  steps: Steps<Result>,
  patience: Patience,
  onPause: (file: LockFile) => void,
): Result {
  const nobody = new Int32Array(new SharedArrayBuffer(4))
  try {
    for (let tooth = 0; ; tooth++) {
      const step = steps.next()
      if (step.done === true) return step.value
      onPause(step.value)
      patience.check()
      Atomics.wait(nobody, 0, 0, Math.min(teeth[tooth % teeth.length]!, patience.left))
    }
  } finally {
    giveUp(steps)
  }
}

/** Lets the steps clean up; nothing where they are done. */
function giveUp(steps: Steps<unknown>): void {
  steps.return(undefined)
}

/** Rings when a file is touched. Where watching fails (too many watches, or none here) it only ever times out. */
class Alarm {
  readonly file: LockFile
  readonly #watcher: FSWatcher | undefined
  #rung = false
  #wake: (() => void) | undefined

  constructor(file: LockFile) {
    this.file = file
    // Every change in a directory would ring.
    if (file.isDirectory) return
    try {
      this.#watcher = watch(file.path, () => {
        this.#rung = true
        this.#wake?.()
      })
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch {
      // ENOSPC, EMFILE: poll alone.
    }
  }

  /** Waits until it rings, `limit` ms at most. Whether it rang. */
  async wait(limit: number, patience: Patience): Promise<boolean> {
    if (!this.#rung) {
      await patience.pause(limit, (wake) => {
        this.#wake = wake
      })
      this.#wake = undefined
    }
    const rung = this.#rung
    this.#rung = false
    return rung
  }

  close(): void {
    this.#watcher?.close()
  }
}
