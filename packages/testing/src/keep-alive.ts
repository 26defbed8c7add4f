/**
 * Keeps the process alive while it waits for something. Our idle connections do not keep it alive, so that a process ends
 * with its tests, but without this Node would also end a process that only waits for such a connection.
 */
export async function keepAlive<T>(action: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, 2 ** 30)
  try {
    return await action()
  } finally {
    clearInterval(timer)
  }
}
