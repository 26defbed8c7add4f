import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ConstraintLike } from '../version/constraint-like.ts'
import { satisfies } from '../version/satisfies.ts'
import { highest } from '../version/highest.ts'
import { locateServer } from '../locate-server.ts'
import { probeVersion } from '../version/probe-version.ts'
import { Runtime } from '../runtime.ts'
import type { Diagnosis, Strategy } from './strategy.ts'
import { refuseWindows } from '../install/supported-platform.ts'
import { VersionCache } from '../version/version-cache.ts'
import { type NotARuntime, isNotARuntime } from '../errors.ts'

/** Options of strategies that look into directories. */
export interface DirectoriesOptions {
  /** The directory in which versions are cached; see `cacheDirectory`. */
  readonly cacheDir?: string | undefined
}

/** Looks into directories, which are listed when they are needed. */
export class DirectoriesStrategy implements Strategy {
  readonly name: string
  readonly #directories: () => Promise<readonly string[]>
  readonly #prefer: 'first' | 'highest'
  readonly #versions: VersionCache

  /** `prefer` says which runtime `fallback` returns. */
  constructor(
    name: string,
    directories: () => Promise<readonly string[]>,
    prefer: 'first' | 'highest',
    options: DirectoriesOptions = {},
  ) {
    this.name = name
    this.#directories = directories
    this.#prefer = prefer
    this.#versions = new VersionCache(options.cacheDir)
  }

  async runtimes(): Promise<Runtime[]> {
    const looked = await this.#look()
    return withoutAliases(looked.filter((one) => one instanceof Runtime))
  }

  async select(constraint: ConstraintLike): Promise<Runtime | null> {
    return highest((await this.runtimes()).filter((runtime) => satisfies(runtime, constraint)))
  }

  async fallback(): Promise<Runtime | null> {
    if (this.#prefer === 'highest') return highest(await this.runtimes())
    refuseWindows()
    for (const directory of await this.#directories()) {
      const looked = await this.#lookInto(directory)
      if (looked instanceof Runtime) return looked
    }
    return null
  }

  async diagnose(): Promise<Diagnosis[]> {
    refuseWindows()
    const looked = await Promise.all((await this.#directories()).map(askAnew))
    return looked
      .filter((one) => isNotARuntime(one))
      .filter(({ problem }) => problem !== 'missing')
      .map(({ bindir, problem, message }) => ({
        strategy: this.name,
        path: bindir,
        problem,
        message,
      }))
  }

  async #look(): Promise<(Runtime | NotARuntime)[]> {
    refuseWindows()
    return Promise.all((await this.#directories()).map((directory) => this.#lookInto(directory)))
  }

  async #lookInto(directory: string): Promise<Runtime | NotARuntime> {
    try {
      return await Runtime.at(directory, { versions: this.#versions })
    } catch (error) {
      if (isNotARuntime(error)) return error
      throw error
    }
  }
}

/**
 * Keeps one runtime for each real directory, since Postgres.app's `Versions/latest` and Homebrew's `opt/postgresql` are links
 * to others. It keeps the path without links if there is one, otherwise the first path.
 */
function withoutAliases(runtimes: readonly Runtime[]): Runtime[] {
  const kept = new Map<string, Runtime>()
  for (const runtime of runtimes) {
    const real = realpathSync.native(runtime.bindir)
    if (!kept.has(real) || runtime.bindir === real) kept.set(real, runtime)
  }
  return [...kept.values()]
}

/** Runs the server of a directory even if its version is known: a library that it needs may have been removed since. */
async function askAnew(directory: string): Promise<NotARuntime | null> {
  try {
    await probeVersion(locateServer(resolve(directory)).postgres)
    return null
  } catch (error) {
    if (isNotARuntime(error)) return error
    throw error
  }
}
