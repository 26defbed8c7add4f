import type { ConstraintLike } from '../version/constraint-like.ts'
import { firstRuntime } from './first-runtime.ts'
import { type InstalledTree, installedTrees } from '../install/installed-tree.ts'
import type { Runtime } from '../runtime.ts'
import type { Diagnosis, Strategy } from './strategy.ts'
import { refuseWindows } from '../install/supported-platform.ts'
import { RuntimeError, problemOf } from '../errors.ts'

/** Options of the installed strategy. */
export interface InstalledOptions {
  /** See `cacheDirectory`. */
  readonly cacheDir?: string | undefined
}

/**
 * The runtimes that `installRuntime` has put into the cache.
 *
 * Damaged runtimes are left out. If a matching runtime is in a directory that others can write, `select` and `fallback` throw
 * `ERR_RUNTIME_UNTRUSTED_DIRECTORY`.
 */
export function installed(options: InstalledOptions = {}): Strategy {
  return new InstalledStrategy(options)
}

class InstalledStrategy implements Strategy {
  readonly name = 'installed'
  readonly #options: InstalledOptions

  constructor(options: InstalledOptions) {
    this.#options = options
  }

  async runtimes(): Promise<Runtime[]> {
    const found: Runtime[] = []
    for (const tree of await this.#trees()) {
      const runtime = await tree.runtime().catch(leftOut)
      if (runtime !== null) found.push(runtime)
    }
    return found
  }

  async select(constraint: ConstraintLike): Promise<Runtime | null> {
    return firstRuntime(await this.#trees(), constraint)
  }

  async fallback(): Promise<Runtime | null> {
    return this.select({ kind: 'anything' })
  }

  async diagnose(): Promise<Diagnosis[]> {
    const diagnoses: Diagnosis[] = []
    for (const tree of await this.#trees()) {
      try {
        await tree.check()
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw error
        const { message } = error
        diagnoses.push({ strategy: this.name, path: tree.path, problem: problemOf(error), message })
      }
    }
    return diagnoses
  }

  /** The installed trees, the highest version first. */
  async #trees(): Promise<InstalledTree[]> {
    refuseWindows()
    return installedTrees(this.#options.cacheDir)
  }
}

function leftOut(error: unknown): null {
  if (error instanceof RuntimeError) return null
  throw error
}
