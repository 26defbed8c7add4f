import type { Paths } from '../paths.ts'
import type { Subject } from '../subject.ts'
import type { Coordinated } from './coordinated.ts'

/** The base of all states. */
export abstract class Handle<Options> {
  /** @internal */
  protected readonly coordinated: Coordinated<Options>

  constructor(coordinated: Coordinated<Options>) {
    this.coordinated = coordinated
  }

  get subject(): Subject<Options> {
    return this.coordinated.subject
  }

  get paths(): Paths {
    return this.coordinated.paths
  }

  exists(): Promise<boolean> {
    return this.subject.exists()
  }

  running(): Promise<boolean> {
    return this.subject.running()
  }
}
