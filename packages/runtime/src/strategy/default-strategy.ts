import { bundled, type BundledOptions } from './bundled.ts'
import { chain } from './chain.ts'
import { installed } from './installed.ts'
import { onEnvironmentPath } from './on-path.ts'
import { onPlatform } from './on-platform.ts'
import type { Strategy } from './strategy.ts'

/** Options of `defaultStrategy`. */
export interface DefaultStrategyOptions extends BundledOptions {
  /** The environment with the PATH to search; our own by default. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
}

/** Searches PATH, then the platform's usual directories, then installed runtimes, then bundled ones. */
export function defaultStrategy(options: DefaultStrategyOptions = {}): Strategy {
  const { cacheDir, env } = options
  return chain(
    onEnvironmentPath(env, { cacheDir }),
    onPlatform({ cacheDir, env }),
    installed({ cacheDir }),
    bundled(options),
  )
}
