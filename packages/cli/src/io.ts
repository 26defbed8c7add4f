import { processIo as ofThisProcess, type ProcessIo } from '@howdah/terminal'

/** Everything that the commands use of the process in which they run. */
export interface Io extends ProcessIo {
  /** The `import.meta.url` of the application. The bundled PostgreSQL is looked for among its dependencies. */
  readonly from: string
  /** The text that `--version` prints. */
  readonly version: string
}

/**
 * This process as the `Io` of {@link main}, for an executable.
 *
 * `from` is the executable's `import.meta.url`; the bundled PostgreSQL is looked for among its dependencies. Call it before
 * anything is opened, because commands get the descriptors that are open now.
 */
export function processIo(from: string, version: string): Io {
  return Object.assign(ofThisProcess(), { from, version })
}
