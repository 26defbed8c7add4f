/** The messages of PostgreSQL's programs when the system denies something, and the denied action. */
const denials: readonly (readonly [words: RegExp, what: string])[] = [
  [/could not create Unix socket/, 'Unix sockets, socket(2)'],
  [/could not bind Unix address/, 'to bind a Unix socket, bind(2)'],
  [/could not listen on Unix address/, 'to listen on a Unix socket, listen(2)'],
  [/could not create IPv[46] socket/, 'TCP sockets, socket(2)'],
  [/could not bind IPv[46] address/, 'to listen on a port, bind(2)'],
  [/could not create shared memory segment/, 'System V shared memory, shmget(2)'],
  [/could not (?:open|map) (?:anonymous )?shared memory/, 'shared memory, shm_open(3) and mmap(2)'],
  [/could not create semaphores|could not initialize semaphore/, 'semaphores'],
]

/**
 * The action that a sandbox denies to a server, found in the server's messages; `null` if nothing was denied. The errors of
 * denied calls are EPERM and EACCES, and ENOSYS for a call that a filter hides.
 */
export function denialIn(words: string): string | null {
  for (const line of words.split('\n')) {
    if (!/: (?:Operation not permitted|Permission denied|Function not implemented)/.test(line))
      continue
    const found = denials.find(([pattern]) => pattern.test(line))
    if (found !== undefined) return found[1]
  }
  return null
}
