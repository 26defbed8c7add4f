import type { Source } from '../source.ts'

/** One run of a pg_dump. */
export interface Run {
  readonly source: Source
  readonly database: string | undefined
  readonly args: readonly string[]
  readonly signal: AbortSignal | undefined
  readonly onNotice: (words: string) => void
}
