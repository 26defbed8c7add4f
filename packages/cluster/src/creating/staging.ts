import { DataDirectory } from '@howdah/data-directory'

/** A directory in which a cluster is made. */
export interface Staging {
  /** It is reached by a descriptor: pass {@link DataDirectory.here} to our own calls and to the server's programs. */
  readonly directory: DataDirectory
  /** Its path in the data directory. A directory that is renamed to this path takes its place. */
  readonly path: string
}
