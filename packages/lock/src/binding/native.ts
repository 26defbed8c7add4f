import { createRequire } from 'node:module'
import type { Binding, Native } from './binding.ts'

/** Loads the addon that was built for this platform. Throws an error that says why it cannot be loaded. */
export function loadNative(): Binding {
  const platform = `${process.platform}-${process.arch}`
  const require = createRequire(import.meta.url)
  const file = find(require, `prebuilt/${platform}.node`)
  if (file === null) {
    throw new Error(
      `there is no prebuilt binding for ${platform}; install fs-ext beside this package`,
    )
  }
  try {
    const native: Native = require(file)
    return { name: 'native', file, flock: native.flock, native }
  } catch (cause) {
    throw new Error(`the prebuilt binding ${file} cannot be loaded (${String(cause)})`, { cause })
  }
}

/** The file lies beside a bundle that carries it along, else in this package. */
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
