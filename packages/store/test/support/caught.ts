import { StoreError } from '../../src/index.ts'

/** The error of the store that something ends with. */
export async function caught(action: () => unknown): Promise<StoreError> {
  try {
    await action()
  } catch (error) {
    if (error instanceof StoreError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
