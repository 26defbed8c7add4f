import { nativeIfLoadable } from '../binding/native.ts'

/**
 * Tries whether the system lets this process have System V shared memory, without which no PostgreSQL server starts. It makes
 * a segment, and removes it at once. Gives 0, the errno of the refusal, or `null` if it cannot be tried because our addon cannot
 * be loaded.
 */
export function trySharedMemory(): number | null {
  const result = nativeIfLoadable()?.trySharedMemory()
  return result === undefined ? null : Math.abs(result)
}
