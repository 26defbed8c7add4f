import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Others that are compared if they are asked for: too large, or too seldom wanted, to be dependencies. */
const packages = ['fs-ext-extra-prebuilt', 'deno']

/** Where {@link installOthers} has put them; processes that are started here inherit it. */
const place = 'HOWDAH_BENCH_OTHERS'

/** Installs them into a directory. No script of theirs is run. */
export function installOthers(directory) {
  writeFileSync(join(directory, 'package.json'), '{}')
  const words = ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages]
  const { status } = spawnSync('npm', words, {
    cwd: directory,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0) throw new Error(`npm ${words.join(' ')} ended with ${status}`)
  process.env[place] = directory
}

/** Where a package of them is; `null` if they are not compared. */
export function other(name) {
  const directory = process.env[place]
  return directory === undefined ? null : join(directory, 'node_modules', name)
}

/** The program of Deno; `null` if it is not compared, or there is none for this system. */
export function deno() {
  const platforms = other('@deno')
  if (platforms === null || !existsSync(platforms)) return null
  const found = readdirSync(platforms).map((name) => join(platforms, name, 'deno'))
  return found.find((path) => existsSync(path)) ?? null
}
