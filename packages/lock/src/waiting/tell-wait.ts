import { quickHolders } from '../process/holder.ts'
import type { Request } from './request.ts'

/** Tells `onWait` that a wait begins. Disposing of the result tells it that the wait is over. */
export function tellWait({
  path,
  mode,
  onWait,
}: Pick<Request, 'path' | 'mode' | 'onWait'>): Disposable | undefined {
  if (onWait === undefined) return undefined
  const ending = new AbortController()
  onWait({ path, mode, holders: quickHolders(path), over: ending.signal })
  return { [Symbol.dispose]: () => ending.abort() }
}
