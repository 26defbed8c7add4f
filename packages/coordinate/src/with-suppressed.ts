import { messageOf } from './caught.ts'

/**
 * Runs a cleanup after a failure, and returns the error to throw: the failure, with an error of the cleanup as its property
 * `suppressed` (Node 20 has no SuppressedError). A failure that is no object cannot have the property.
 */
export async function withSuppressed(
  failure: unknown,
  cleanup: () => Promise<unknown>,
): Promise<unknown> {
  try {
    await cleanup()
  } catch (suppressed) {
    // A cleanup that failed for the same reason adds nothing.
    if (messageOf(suppressed) === messageOf(failure)) return failure
    if (typeof failure === 'object' && failure !== null && Object.isExtensible(failure)) {
      Object.defineProperty(failure, 'suppressed', {
        value: suppressed,
        configurable: true,
        enumerable: false,
        writable: true,
      })
    }
  }
  return failure
}
