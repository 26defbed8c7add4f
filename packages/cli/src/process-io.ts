import { inheritedDescriptors } from '@howdah/durable'
import type { Io } from './io.ts'

/**
 * This process as the `Io` of {@link main}, for an executable.
 *
 * `from` is the executable's `import.meta.url`; the bundled PostgreSQL is looked for among its dependencies. Call it before
 * anything is opened, because commands get the descriptors that are open now.
 */
export function processIo(from: string, version: string): Io {
  return {
    // Node makes each stream at its first use, and `exec` does not need them.
    get stdin() {
      return process.stdin
    },
    get stdout() {
      return process.stdout
    },
    get stderr() {
      return process.stderr
    },
    inherit: true,
    descriptors: inheritedDescriptors(),
    env: process.env,
    get cwd() {
      return currentDirectory()
    },
    signals: process,
    from,
    version,
    exit: (status) => process.exit(status),
  }
}

/** Throws if the directory was deleted, which only matters for relative paths. */
function currentDirectory(): string {
  try {
    return process.cwd()
  } catch (cause) {
    throw new Error('the current directory was deleted; change to another one', { cause })
  }
}
