/**
 * Settings with which a server will start on this machine, chosen by its messages when it did not start; `null` if there are
 * none.
 *
 * `initdb` writes the kind of shared memory of its machine into `postgresql.conf`. A template, a clone or a restored backup
 * may bring this to a machine without POSIX shared memory, because `/dev/shm` is missing, full or closed to the server's
 * user. There `initdb` would choose System V shared memory ("dynamic_shared_memory_type" in PostgreSQL's manual).
 */
export function settingsToFit(words: string): Readonly<Record<string, string>> | null {
  const refused = /could not (?:open|create|resize|map) shared memory segment "\/PostgreSQL\./
  return refused.test(words) ? { dynamic_shared_memory_type: 'sysv' } : null
}
