import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** npm packages that hold a tool, unpacked once into a directory that is kept. */
export class Tools {
  #directory

  constructor(directory) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true })
  }

  /** The directory of a package that needs no others, such as `pnpm@10.34.9`. */
  unpacked(spec) {
    return this.#once(spec, (scratch) => {
      const [{ filename }] = JSON.parse(npm(['pack', '--json', spec], scratch))
      execFileSync('tar', ['-xzf', filename, '--no-same-owner'], { cwd: scratch })
      return join(scratch, 'package')
    })
  }

  /** The directory of a project in which a package is installed with all that it needs. */
  installed(spec, overrides = {}) {
    return this.#once(spec, (scratch) => {
      const project = join(scratch, 'project')
      mkdirSync(project)
      writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, overrides }))
      npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', spec], project)
      return project
    })
  }

  #once(spec, make) {
    const target = join(this.#directory, spec.replaceAll('/', '+'))
    if (existsSync(target)) return target
    const scratch = mkdtempSync(join(this.#directory, '.making-'))
    try {
      renameSync(make(scratch), target)
    } catch (error) {
      throw new Error(`cannot install ${spec}: ${error.message}`, { cause: error })
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
    return target
  }
}

function npm(args, cwd) {
  return execFileSync('npm', [...args, '--loglevel=error'], { cwd, encoding: 'utf8' })
}
