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

  /** What is coordinated. */
  get subject(): Subject<Options> {
    return this.coordinated.subject
  }

  /** The files by which it is coordinated. */
  get paths(): Paths {
    return this.coordinated.paths
  }

  /** Whether the subject exists. */
  exists(): Promise<boolean> {
    return this.subject.exists()
  }

  /** Whether its server runs and can be used. */
  running(): Promise<boolean> {
    return this.subject.running()
  }
}
