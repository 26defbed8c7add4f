import { delimiter, isAbsolute } from 'node:path'
import { DirectoriesStrategy, type DirectoriesOptions } from './directories-strategy.ts'
import type { Diagnosis, Strategy } from './strategy.ts'

/**
 * Looks into these directories; its fallback is the first that has a server.
 *
 * A directory in which `postgres` is a link stands for the one behind it; one without `postgres` is passed over. Relative
 * ones are not looked into, because they mean something else in each working directory; {@link Strategy.diagnose} says so.
 */
export function onPath(directories: readonly string[], options: DirectoriesOptions = {}): Strategy {
  return new PathStrategy(() => directories, options)
}

/** Looks along the PATH of an environment, our own by default; like {@link onPath}. */
export function onEnvironmentPath(
  env: Readonly<Record<string, string | undefined>> = process.env,
  options: DirectoriesOptions = {},
): Strategy {
  // An empty entry is the current directory, so relative; an empty PATH has no entries.
  return new PathStrategy(() => (env['PATH'] ? env['PATH'].split(delimiter) : []), options)
}

class PathStrategy extends DirectoriesStrategy {
  readonly #given: () => readonly string[]

  constructor(given: () => readonly string[], options: DirectoriesOptions) {
    const absolute = (): string[] => [
      ...new Set(given().filter((directory) => isAbsolute(directory))),
    ]
    super('PATH', () => Promise.resolve(absolute()), 'first', options)
    this.#given = given
  }

  override async diagnose(): Promise<Diagnosis[]> {
    const others = await super.diagnose()
    const relative = this.#given().filter((directory) => !isAbsolute(directory))
    return [
      ...relative.map((directory) => ({
        strategy: this.name,
        path: directory,
        problem: 'relative' as const,
        message: `${JSON.stringify(directory)} on PATH is not looked into, because it is relative; write it in full`,
      })),
      ...others,
    ]
  }
}
