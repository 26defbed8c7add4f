/** What a server has logged of a recovery. */
export interface RecoveryLog {
  /** The WAL files that were replayed, so far. */
  readonly files: number
  /** Up to where; as PostgreSQL prints it. */
  readonly lsn: string | null
  /** When the last transaction was committed or aborted that was replayed. */
  readonly lastTransaction: string | null
  /** The server's words for where it stopped before the end of the WAL; `null` if it did not. */
  readonly stopped: string | null
  /** Why it failed, in the server's words. */
  readonly failure: string | null
}

/** Reads a server's log, in English. Source: the messages of `xlogrecovery.c` (`xlog.c` before 15), the same from 10 to 18. */
export function readRecoveryLog(log: string): RecoveryLog {
  const last = (pattern: RegExp) => [...log.matchAll(pattern)].at(-1)?.[1] ?? null
  return {
    files: [...log.matchAll(/restored log file "[\dA-F]{24}" from archive/g)].length,
    lsn: last(/redo done at ([\dA-F]+\/[\dA-F]+)/g),
    lastTransaction: last(/last completed transaction was at log time (.+)$/gm),
    stopped: last(/(recovery stopping (?:before|after|at) .+)$/gm),
    failure: last(/FATAL: {2}(.+)$/gm),
  }
}
