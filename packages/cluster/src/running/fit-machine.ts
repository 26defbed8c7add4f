/**
 * Settings by which a server starts on this machine, by what it said when it did not start; `null` if there are none.
 *
 * `initdb` writes into `postgresql.conf` what the machine gave when it ran, and a template, a clone or a restored backup
 * brings that to a machine that gives less: POSIX shared memory if `/dev/shm` is missing, full or closed to the server's
 * user. System V shared memory is what `initdb` falls back on then ("dynamic_shared_memory_type" in PostgreSQL's manual).
 */
export function settingsToFit(words: string): Readonly<Record<string, string>> | null {
  const refused = /could not (?:open|create|resize|map) shared memory segment "\/PostgreSQL\./
  return refused.test(words) ? { dynamic_shared_memory_type: 'sysv' } : null
}
