import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import Module, { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { Script } from 'node:vm'

/** How many files to keep: some for each installed howdah, each version of Node, and each purpose. */
const capacity = 200

/**
 * Loads CommonJS modules of ASCII text, and what they require from their own directory, with compiled code from a directory that
 * nobody else can write.
 *
 * Node can do so itself since 22.8, but goes on with what the first process has used. Here each `purpose`, a word, has code of
 * its own. Modules from elsewhere are left to Node.
 */
export class CompiledLoader {
  readonly #directory: string
  readonly #purpose: string
  /** The scripts without kept code, with the paths at which to keep it. */
  readonly #unknown: [script: Script, path: string][] = []

  constructor(directory: string, purpose: string) {
    this.#directory = directory
    this.#purpose = purpose
    const enable: unknown = Reflect.get(Module, 'enableCompileCache')
    if (typeof enable === 'function') enable(directory)
  }

  /** Loads a module, unless it is loaded, and gives what it exports. `file` is its real path. */
  require(file: string): unknown {
    const require = createRequire(file)
    const loaded = require.cache[file]
    if (loaded !== undefined) return loaded.exports
    const script = this.#compile(file)
    const module = new Module(file)
    require.cache[file] = module
    const run = script.runInThisContext() as (...args: unknown[]) => void
    run.call(
      module.exports,
      module.exports,
      this.#requireFor(require, dirname(file)),
      module,
      file,
      dirname(file),
    )
    module.loaded = true
    return module.exports
  }

  /**
   * Keeps the compiled code for the next process. Call it at the end, when all functions have run. Never throws. On macOS it
   * does nothing, because a sync takes as long there as compiling.
   */
  keep(): void {
    if (process.platform === 'darwin') return
    for (const [script, path] of this.#unknown) publish(path, script)
    if (this.#unknown.length > 0) removeOldest(this.#directory)
  }

  #compile(file: string): Script {
    const name = `${basename(file, '.cjs')}-${this.#purpose}-${identityOf(file)}`
    const path = join(this.#directory, prefix + name)
    const cachedData = readIfThere(path)
    const script = new Script(Module.wrap(readFileSync(file, 'latin1')), {
      filename: file,
      cachedData,
    })
    if (cachedData === undefined || script.cachedDataRejected === true)
      this.#unknown.push([script, path])
    return script
  }

  #requireFor(require: NodeJS.Require, directory: string): NodeJS.Require {
    const own = (id: string): unknown =>
      id.startsWith('./') ? this.require(join(directory, id)) : require(id)
    return Object.assign(own, require)
  }
}

const prefix = `howdah-${process.version}-${process.arch}-`

/** Another one for each text of the file, since V8 compares no more than its length, and npm gives every file the same time. */
function identityOf(file: string): string {
  const { dev, ino, size, mtimeMs, ctimeMs } = statSync(file)
  return [dev, ino, size, mtimeMs, ctimeMs].map((number) => number.toString(36)).join('-')
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** Synced before it gets its name, because V8 does not see whether a page of it is missing. */
function publish(path: string, script: Script): void {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const fd = openSync(temporary, 'wx', 0o600)
    try {
      writeFileSync(fd, script.createCachedData())
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, path)
  } catch {
    rmSync(temporary, { force: true })
  }
}

function removeOldest(directory: string): void {
  const files = readdirSync(directory)
    .filter((name) => name.startsWith('howdah-'))
    .map((name) => ({ path: join(directory, name), time: timeOf(join(directory, name)) }))
    .toSorted((one, other) => other.time - one.time)
  for (const { path } of files.slice(capacity)) rmSync(path, { force: true })
}

function timeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
