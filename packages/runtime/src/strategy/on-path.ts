import { statSync } from 'node:fs'
import { delimiter, isAbsolute } from 'node:path'
import { DirectoriesStrategy, type DirectoriesOptions } from './directories-strategy.ts'
import type { Diagnosis, Strategy } from './strategy.ts'

/**
 * Looks into these directories; its fallback is the first one with a server.
 *
 * If `postgres` in a directory is a link, the link's target counts. Directories without `postgres` are skipped, and so are
 * those that this user may not enter, as a shell does. So are relative paths, because they mean another directory in each working directory; {@link Strategy.diagnose} reports them.
 */
export function onPath(directories: readonly string[], options: DirectoriesOptions = {}): Strategy {
  return new PathStrategy(() => directories, options)
}

/** Searches the PATH of an environment, our own by default; like {@link onPath}. */
export function onEnvironmentPath(
  env: Readonly<Record<string, string | undefined>> = process.env,
  options: DirectoriesOptions = {},
): Strategy {
  // An empty entry is the current directory, so it is relative. An empty PATH has no entries.
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
    const others = (await super.diagnose()).filter(({ path }) => mayEnter(path))
    const relative = this.#given().filter((directory) => !isAbsolute(directory))
    return [
      ...relative.map((directory) => ({
        strategy: this.name,
        path: directory,
        problem: 'relative' as const,
        message: `${JSON.stringify(directory)} on PATH is ignored, because it is relative; write the absolute path`,
      })),
      ...others,
    ]
  }
}

function mayEnter(directory: string): boolean {
  try {
    return statSync(`${directory}/.`).isDirectory()
  } catch {
    return false
  }
}
