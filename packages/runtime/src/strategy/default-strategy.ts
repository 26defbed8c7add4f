import { bundled, type BundledOptions } from './bundled.ts'
import { chain } from './chain.ts'
import { installed } from './installed.ts'
import { onEnvironmentPath } from './on-path.ts'
import { onPlatform } from './on-platform.ts'
import type { Strategy } from './strategy.ts'

/** What `defaultStrategy` can be told. */
export interface DefaultStrategyOptions extends BundledOptions {
  /** The environment whose PATH is looked along; our own by default. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
}

/** Looks along PATH, then where the platform has PostgreSQL, then at what was installed, then at what is bundled. */
export function defaultStrategy(options: DefaultStrategyOptions = {}): Strategy {
  const { cacheDir, env } = options
  return chain(
    onEnvironmentPath(env, { cacheDir }),
    onPlatform({ cacheDir, env }),
    installed({ cacheDir }),
    bundled(options),
  )
}
