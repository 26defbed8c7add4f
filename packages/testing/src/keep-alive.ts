/**
 * Keeps the process from ending while it waits for something. Our idle connections do not, so that a process ends when its tests
 * have, and Node would end one that waits for them alone.
 */
export async function keepAlive<T>(action: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, 2 ** 30)
  try {
    return await action()
  } finally {
    clearInterval(timer)
  }
}
