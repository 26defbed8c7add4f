import { LockBindingError } from '../errors.ts'
import type { Binding } from './binding.ts'
import { requireFlock } from './platform.ts'
import { loadFsExt } from './fs-ext.ts'
import { loadNative } from './native.ts'

/** The name of the environment variable that chooses the binding. */
const choice = 'HOWDAH_FLOCK'

let loaded: Binding | undefined

/**
 * The binding, loaded when it is first needed, so that importing this package never fails.
 *
 * It is our own addon if there is one for this platform, else fs-ext if that is installed; `HOWDAH_FLOCK` set to `native` or
 * `fs-ext` allows that one only. `path` is for the error. Throws {@link LockUnsupportedError} on Windows, and
 * {@link LockBindingError}.
 */
export function binding(path: string): Binding {
  return (loaded ??= load(path))
}

function load(path: string): Binding {
  requireFlock(path)
  const chosen = process.env[choice] || undefined
  if (chosen === 'native') return attempt(path, [loadNative])
  if (chosen === 'fs-ext') return attempt(path, [loadFsExt])
  if (chosen === undefined) return attempt(path, [loadNative, loadFsExt])
  throw new LockBindingError(
    path,
    `${choice} is ${JSON.stringify(chosen)}; set it to native or fs-ext, or unset it`,
    undefined,
  )
}

function attempt(path: string, loaders: (() => Binding)[]): Binding {
  const failures: unknown[] = []
  for (const loader of loaders) {
    try {
      return loader()
    } catch (error) {
      failures.push(error)
    }
  }
  const reasons = failures.map((error) => (error instanceof Error ? error.message : String(error)))
  throw new LockBindingError(
    path,
    `cannot lock ${path || 'anything'}: ${reasons.join('; ')}`,
    failures[0],
  )
}
