import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A directory with a project to run: a copy of its newest commit, or of the one that is named, from git, or the very directory `from/NAME` if that was installed
 * already. Throws with the reason if it cannot be had.
 */
export function source({ name, url, commit, built = [] }, { from, into }) {
  const here = from === undefined ? null : join(from, name)
  if (here !== null && existsSync(join(here, 'node_modules'))) return prepared(here, built)
  if (built.length > 0) {
    const where = `put a checkout into a directory, as ${name}, install and build it, and name the directory by HOWDAH_PROJECTS`
    throw new Error(`its tests are of what was built; ${where}`)
  }
  const depth = commit === undefined ? ['--depth=1'] : []
  const origin = here !== null && existsSync(here) ? [here] : [...depth, url]
  const directory = join(into, name)
  const git = (...args) => {
    const env = { ...process.env, GIT_TERMINAL_PROMPT: '0' }
    execFileSync('git', args, { stdio: ['ignore', 'ignore', 'pipe'], env })
  }
  git('clone', '--quiet', ...origin, directory)
  if (commit !== undefined) git('-C', directory, 'checkout', '--quiet', commit)
  return { directory, isInstalled: false }
}

function prepared(directory, built) {
  const missing = built.filter((path) => !existsSync(join(directory, path)))
  if (missing.length > 0)
    throw new Error(`${directory} was not built: there is no ${missing.join(', ')}`)
  return { directory, isInstalled: true }
}
