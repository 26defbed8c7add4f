import { RegistryError } from '../../src/index.ts'

/** The error of the registry that something ends with. */
export async function caught(action: () => unknown): Promise<RegistryError> {
  try {
    await action()
  } catch (error) {
    if (error instanceof RegistryError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
