/** Takes the error of a file that has vanished as `null`. Throws any other error. */
export function vanished(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw error
}
