import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** PATH, with a Node of at least a major before it, from the npm registry if this one is older. */
export function pathWithNode(major, into) {
  const { PATH } = process.env
  if (major === undefined || Number.parseInt(process.versions.node, 10) >= major) return PATH
  const directory = join(into, `node-${major}`)
  if (!existsSync(directory)) {
    mkdirSync(directory)
    const args = ['install', '--no-audit', '--no-fund', '--prefix', directory, `node@${major}`]
    execFileSync('npm', args, { stdio: 'pipe' })
  }
  return join(directory, 'node_modules/.bin') + delimiter + PATH
}
