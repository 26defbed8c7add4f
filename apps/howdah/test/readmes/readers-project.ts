import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts, temporaryDirectory } from '@howdah/fixtures'
import type { ReadmeExample } from './readme-examples.ts'

const workspace = fileURLToPath(new URL('../../../..', import.meta.url))

/** A port that an example wants to have. */
const named = /localhost:(\d+)/g

/** A project of a reader, with what the READMEs tell to install, and with files that the reader has written. */
export class ReadersProject {
  readonly #directory = temporaryDirectory({ prefix: 'howdah-readme-' })
  readonly #environment: NodeJS.ProcessEnv
  /** A free port for each port in the examples, because another program may have that one here. */
  readonly #ports = new Map<string, number>()

  /** Without the real npx a command is started by what npx comes to, which takes a fraction of the CPU. */
  constructor(files: Readonly<Record<string, string>>, { realNpx = true } = {}) {
    const modules = this.#directory.file('project/node_modules')
    mkdirSync(join(modules, '@howdah'), { recursive: true })
    mkdirSync(join(modules, '.bin'))
    for (const name of readdirSync(join(workspace, 'packages'))) {
      if (name !== 'fixtures')
        symlinkSync(join(workspace, 'packages', name), join(modules, '@howdah', name))
    }
    symlinkSync(join(workspace, 'apps/howdah'), join(modules, 'howdah'))
    symlinkSync(join(workspace, 'apps/howdah/node_modules/pg'), join(modules, 'pg'))
    symlinkSync('../howdah/dist/bin.cjs', join(modules, '.bin/howdah'))
    if (!realNpx)
      writeFileSync(join(modules, '.bin/npx'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 })
    const all = { 'package.json': '{ "private": true, "type": "module" }\n', ...files }
    for (const [name, text] of Object.entries(all)) {
      const path = this.#directory.file('project', name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text, { mode: 0o755 })
    }
    const { HOWDAH_CACHE_DIR, HOWDAH_STATE_DIR, TMPDIR } = process.env
    this.#environment = {
      HOME: this.#directory.path,
      PATH: `${join(modules, '.bin')}:${dirname(process.execPath)}:${process.env['PATH']}`,
      HOWDAH_CACHE_DIR,
      HOWDAH_STATE_DIR,
      TMPDIR,
    }
  }

  /**
   * Runs an example as it was pasted, only with ports that are free here, and fails if it fails or prints something else than its
   * comments say. Commands start in the directory and with the exported variables that the commands before them have left, as in a
   * reader's shell.
   */
  async run({ language, code: written }: ReadmeExample): Promise<void> {
    const code = await this.#onFreePorts(written)
    if (language === 'js') {
      const script = this.#directory.file('project/example.js')
      writeFileSync(script, code)
      const stdout = await this.#outcome(process.execPath, [script])
      const said = [...code.matchAll(/^ *console\.log\(.*\) \/\/ (.*)$/gm)].map(([, text]) => text)
      if (said.length > 0 && stdout.trim() !== said.join('\n'))
        throw new Error(`the example prints\n${stdout}and says\n${said.join('\n')}`)
      return
    }
    const lines = code.split('\n')
    const commands = language === 'console' ? lines.filter((line) => line.startsWith('$ ')) : lines
    const left = this.#directory.file('shell')
    const script = [
      existsSync(left) ? `. '${left}'` : '',
      ...commands.map((line) => line.replace(/^\$ /, '')),
      `{ export -p; printf "cd '%s'\\n" "$PWD"; } >'${left}'`,
    ]
    await this.#outcome('sh', ['-e', '-c', script.join('\n')])
  }

  async #onFreePorts(code: string): Promise<string> {
    for (const [, port = ''] of code.matchAll(named)) {
      if (this.#ports.has(port)) continue
      const [free = 0] = await freePorts(1)
      this.#ports.set(port, free)
    }
    return code.replaceAll(named, (_, port: string) => `localhost:${this.#ports.get(port)}`)
  }

  async #outcome(command: string, args: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { cwd: this.#directory.file('project'), env: this.#environment }
      const child = execFile(command, args, options, (error, stdout, stderr) => {
        if (error) reject(new Error(`the example failed (${error.code}): ${stdout}${stderr}`))
        else resolve(stdout)
      })
      child.stdin?.end()
    })
  }

  /** Removes the project, and the cluster that examples have made in it. */
  async leave(): Promise<void> {
    const places = ['project/.howdah', 'project/howdah.json']
    if (places.some((place) => existsSync(this.#directory.file(place))))
      await this.#outcome('howdah', ['destroy', '--force', '--quiet', '--no-save'])
    this.#directory[Symbol.dispose]()
  }
}
