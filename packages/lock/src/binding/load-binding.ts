import { noBinding } from '../errors.ts'
import type { Binding } from './binding.ts'
import { BindingProblem } from './binding-problem.ts'
import { loadFsExt } from './fs-ext.ts'
import { loadNative } from './native.ts'
import { requireFlock } from './platform.ts'

let loaded: Binding | undefined

/**
 * The binding. It is loaded at its first use, so that importing this package never fails.
 *
 * It is our own addon if there is one for this platform, else fs-ext if it is installed. `HOWDAH_FLOCK`, set to `native` or
 * `fs-ext`, allows only that binding. `path` is named in errors. Throws `ERR_LOCK_UNSUPPORTED` on Windows, and
 * `ERR_LOCK_BINDING` if no binding can be loaded.
 */
export function binding(path: string): Binding {
  return (loaded ??= load(path))
}

/**
 * The name of the binding by which this thread calls flock(2), and the file that was loaded for it.
 *
 * Throws a `LockError`: `ERR_LOCK_BINDING` says what is wrong with the bindings; `ERR_LOCK_UNSUPPORTED`, on Windows.
 */
export function flockBinding(): { readonly name: 'native' | 'fs-ext'; readonly file: string } {
  const { name, file } = binding('')
  return { name, file }
}

const loaders = { native: loadNative, 'fs-ext': loadFsExt }

function load(path: string): Binding {
  requireFlock(path)
  const chosen = process.env['HOWDAH_FLOCK'] || undefined
  const problems: BindingProblem[] = []
  for (const [name, loader] of Object.entries(loaders)) {
    if (chosen !== undefined && chosen !== name) continue
    try {
      return loader()
    } catch (error) {
      if (!(error instanceof BindingProblem)) throw error
      problems.push(error)
    }
  }
  if (problems.length === 0) {
    const problem = `HOWDAH_FLOCK is ${JSON.stringify(chosen)}, which is not a binding`
    throw noBinding(path, problem, 'set it to native or fs-ext, or unset it')
  }
  const problem = problems.map(({ message }) => message).join(', and ')
  const remedies = problems.map(({ remedy }) => remedy)
  if (chosen !== undefined) remedies.push('unset HOWDAH_FLOCK, which allows this binding only')
  const remedy = remedies.filter((one) => one !== '').join(', or ')
  throw noBinding(path, problem, remedy, problems.at(-1)?.cause)
}
