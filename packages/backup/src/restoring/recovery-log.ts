/** The facts in a server's log about a recovery. */
export interface RecoveryLog {
  /** The number of replayed WAL files so far. */
  readonly files: number
  /** The position that was reached, as PostgreSQL prints it. */
  readonly lsn: string | null
  /** The time at which the last replayed transaction was committed or aborted. */
  readonly lastTransaction: string | null
  /** The server's message about its stop before the end of the WAL; `null` if it did not stop there. */
  readonly stopped: string | null
  /** The server's message about its failure. */
  readonly failure: string | null
}

/** Parses a server's English log. Source: the messages of `xlogrecovery.c` (`xlog.c` before 15), the same from 10 to 18. */
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
