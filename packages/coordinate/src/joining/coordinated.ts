import type { Place } from '../place.ts'
import type { Subject } from '../subject.ts'

/** A subject and its place. */
export interface Coordinated<Options> {
  readonly subject: Subject<Options>
  readonly place: Place
}
