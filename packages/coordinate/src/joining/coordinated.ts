import type { Place } from '../place.ts'
import type { Subject } from '../subject.ts'

/** A subject and where it is coordinated. */
export interface Coordinated<Options> {
  readonly subject: Subject<Options>
  readonly place: Place
}
