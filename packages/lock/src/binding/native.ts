import { createRequire } from 'node:module'
import type { Binding, Native } from './binding.ts'
import { BindingProblem } from './binding-problem.ts'

/** Loads the addon that was built for this platform. Throws {@link BindingProblem}. */
export function loadNative(): Binding {
  const platform = `${process.platform}-${process.arch}`
  const require = createRequire(import.meta.url)
  const file = find(require, `prebuilt/${platform}.node`)
  if (file === null) {
    throw new BindingProblem(`there is no prebuilt binding for ${platform}`, '')
  }
  try {
    const native: Native = require(file)
    return { name: 'native', file, flock: native.flock, native }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const remedy = 'install this package anew, where files may be executed'
    throw new BindingProblem(`the prebuilt binding cannot be loaded: ${why}`, remedy, cause)
  }
}

let loaded: Native | null | undefined

/** The functions of the addon; `null` if it cannot be loaded. */
export function nativeIfLoadable(): Native | null {
  if (loaded === undefined) {
    try {
      loaded = loadNative().native
    } catch {
      loaded = null
    }
  }
  return loaded
}

/** Finds a file beside the bundle that contains this code, else in this package. */
function find(require: NodeJS.Require, name: string): string | null {
  for (const place of [`./${name}`, `@howdah/lock/${name}`]) {
    try {
      return require.resolve(place)
    } catch {
      // Not there.
    }
  }
  return null
}
