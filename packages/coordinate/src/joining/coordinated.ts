import type { Paths } from '../paths.ts'
import type { Subject } from '../subject.ts'

/** A subject and its paths. */
export interface Coordinated<Options> {
  readonly subject: Subject<Options>
  readonly paths: Paths
}
