import type { LineSource } from '../scanning/line-source.ts'
import type { QueryScanner } from '../scanning/query-scanner.ts'
import type { Conditions } from '../state/conditions.ts'

/** The state of a source of lines that is being run. */
export interface Run {
  readonly source: LineSource
  readonly scanner: QueryScanner
  readonly conditions: Conditions
}
