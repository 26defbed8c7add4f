import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from './worker.ts'

/** So many have to be killed in the midst of it, or it would prove nothing. */
const enough = 2

/**
 * Kills workers at instants spread over what they do, from their beginning to a bit later than its usual end, and goes on until
 * enough were killed in time: before they had said anything more. They tell when they begin. `after` looks at what each left.
 */
export async function killedInTime(
  rounds: number,
  start: () => Worker,
  after: () => Promise<void> = async () => undefined,
): Promise<void> {
  const length = await undisturbed(start)
  await after()
  let hits = 0
  for (let round = 0; round < rounds || hits < enough; round += 1) {
    await using worker = start()
    await worker.next()
    const done = worker.next().then(() => false)
    const instant = (length * 1.1 * ((round % rounds) + 1)) / rounds
    const isInTime = await Promise.race([done, sleep(instant).then(() => true)])
    await worker.kill()
    if (isInTime) hits += 1
    await after()
  }
}

/** In ms: how long one takes that is left alone. */
async function undisturbed(start: () => Worker): Promise<number> {
  await using worker = start()
  await worker.next()
  const began = performance.now()
  const message = await worker.next()
  if (message === null || message.error !== undefined) {
    throw new Error(`it cannot do it at all: ${message?.error?.message}`)
  }
  return performance.now() - began
}
