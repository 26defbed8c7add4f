import { TestingError } from '../errors.ts'
import { isState } from './connect.ts'

/** Runs an action on the server. If the server has no room, the error says what to do. */
export async function explained<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (cause) {
    // disk_full, out_of_memory
    if (!isState(cause, '53100', '53200')) throw cause
    throw new TestingError(
      'ERR_TESTING_NO_SPACE',
      `the server has no room for another database: ${(cause as Error).message}; make room, give tests back what they do not use, or set HOWDAH_TEMPORARY_DIR to a larger disk`,
      { cause },
    )
  }
}
