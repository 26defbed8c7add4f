import { DataDirectory } from '@howdah/data-directory'

/** A directory that a cluster is made in. */
export interface Staging {
  /** Found by a descriptor: give {@link DataDirectory.here} to our own calls and to the server's programs. */
  readonly directory: DataDirectory
  /** Where it lies in the data directory: what is renamed to this path is taken in its place. */
  readonly path: string
}
