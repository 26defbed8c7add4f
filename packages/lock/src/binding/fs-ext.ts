import {
  closeSync,
  constants,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { constants as system, tmpdir } from 'node:os'
import { join } from 'node:path'
import { isMainThread, threadId } from 'node:worker_threads'
import { errno } from '@howdah/durable'
import type { Binding } from './binding.ts'
import { BindingProblem } from './binding-problem.ts'

/** The part of fs-ext that is used. Its asynchronous `flock` fills libuv's pool and is never called. */
interface FsExt {
  readonly flockSync: (fd: number, flags: number) => void
}

/** LOCK_NB of flock(2), the same everywhere. */
const withoutWaiting = 4

/** Loads fs-ext, which is compiled for one version of Node at its installation. Throws {@link BindingProblem}. */
export function loadFsExt(): Binding {
  const require = createRequire(import.meta.url)
  let file: string
  let module: FsExt
  try {
    file = require.resolve('fs-ext')
    module = isMainThread ? require('fs-ext') : privateCopy(require)
  } catch (cause) {
    throw problemOf(cause)
  }
  return {
    name: 'fs-ext',
    file,
    flock: (fd, operation) => {
      try {
        module.flockSync(fd, operation | withoutWaiting)
        return 0
      } catch (error) {
        const known = Object.entries(system.errno).find(([code]) => code === errno(error))
        if (known === undefined) throw error
        return -known[1]
      }
    },
    native: null,
  }
}

/**
 * Loads fs-ext's addon from a copy for this thread alone. Its C++ has static handles, which every thread that loads it
 * overwrites, so a copy shared by threads crashes the process.
 */
function privateCopy(require: NodeJS.Require): FsExt {
  const original = require.resolve('fs-ext/build/Release/fs_ext.node')
  const module: Loaded = { exports: {} }
  if (!loadNameless(original, module)) loadNamed(original, module)
  const { flock } = module.exports
  if (flock === undefined) throw new Error('fs-ext has no flock')
  return { flockSync: flock }
}

interface Loaded {
  readonly exports: { readonly flock?: FsExt['flockSync'] }
}

/** O_TMPFILE of open(2), on Linux: a file without a name. */
const nameless = 0o20_000_000 | constants.O_DIRECTORY

/**
 * Loads a copy that has no name, so that no file is left if the process is killed. Gives `false` if this system cannot do
 * so.
 */
function loadNameless(original: string, module: Loaded): boolean {
  if (process.platform !== 'linux') return false
  let fd: number | undefined
  try {
    fd = openSync(tmpdir(), nameless | constants.O_RDWR, 0o600)
    writeFileSync(fd, readFileSync(original))
    // Each thread uses a path of its own, because dlopen gives a library that was loaded by the same path before.
    process.dlopen(module, `/proc/self/fd/${'./'.repeat(threadId)}${fd}`)
    return true
  } catch {
    return false
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

function loadNamed(original: string, module: Loaded): void {
  const directory = mkdtempSync(join(tmpdir(), 'howdah-fs-ext-'))
  try {
    const copy = join(directory, 'fs_ext.node')
    copyFileSync(original, copy)
    process.dlopen(module, copy)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function problemOf(cause: unknown): BindingProblem {
  if (errno(cause) === 'ERR_DLOPEN_FAILED' || String(cause).includes('NODE_MODULE_VERSION')) {
    const problem = `fs-ext was built for another Node than ${process.version}`
    return new BindingProblem(problem, 'run: npm rebuild fs-ext', cause)
  }
  if (String(cause).includes("'fs-ext'")) {
    return new BindingProblem(
      'fs-ext is not installed',
      'install fs-ext, which is compiled when it is installed',
      cause,
    )
  }
  const remedy = 'allow its install script in your package manager, and install it anew'
  return new BindingProblem('fs-ext is installed but was not built', remedy, cause)
}
