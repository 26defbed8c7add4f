import { inheritedDescriptors } from './running/inherited-descriptors.ts'
import type { Io } from './io.ts'

/**
 * This very process as the surroundings of {@link main}, for an executable.
 *
 * `from` is the executable's `import.meta.url`; the bundled PostgreSQL is looked for among its dependencies. Call it before
 * anything is opened: the descriptors that are open are those that the commands get.
 */
export function processIo(from: string, version: string): Io {
  return {
    // Node makes each of them when it is first asked for, and `exec` has no need of them.
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

/** Throws if it was deleted, which matters to none but relative paths. */
function currentDirectory(): string {
  try {
    return process.cwd()
  } catch (cause) {
    throw new Error('the current directory was deleted; change to another one', { cause })
  }
}
