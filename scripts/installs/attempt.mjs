import { spawn } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { nodes } from './cases.mjs'
import { commandOf, unusualLines } from './managers.mjs'

const use = fileURLToPath(new URL('use.mjs', import.meta.url))
const select = ['howdah', '-c', "select 'answer' as one"]

/**
 * Tries one case in empty directories, and gives what went wrong, in words.
 *
 * What a package manager keeps in the home directory stays for the other cases of the row.
 */
export async function attempt(one, { registry, surroundings, tools, homes, names }) {
  const { manager, node, system, scripts = true, postgres = true } = one
  const home = join(homes, one.row.replaceAll(/\W+/g, '-'))
  mkdirSync(home, { recursive: true })
  // pnpm 12 does not read the variables of npm.
  writeFileSync(join(home, '.npmrc'), `registry=${registry.url}\n`)
  const program = commandOf(manager, tools)
  const env = {
    HOME: home,
    PATH: surroundings.path(join(tools.unpacked(nodes[node]), 'bin'), system),
    HOWDAH_CACHE_DIR: join(home, 'cache'),
    HOWDAH_STATE_DIR: join(home, 'state'),
    npm_config_registry: registry.url,
    YARN_NPM_REGISTRY_SERVER: registry.url,
    ...manager.env,
  }
  const run = (directory, command) =>
    outcome(surroundings.inside(command, { directory, system }), env)
  const problems = []
  const check = (what, { status, stdout, stderr }, answer) => {
    if (status !== 0 || !stdout.includes(answer))
      problems.push(`${what} ended with ${status}:\n${stdout}${stderr}`)
    const unusual = unusualLines(manager, answer === '' ? stdout + stderr : stderr)
    if (status === 0 && unusual.length > 0) problems.push(`${what} said:\n${unusual.join('\n')}`)
    return status === 0
  }

  const project = emptyProject(home, manager)
  copyFileSync(use, join(project, 'use.mjs'))
  const add = [...program, ...manager.add(names), ...(scripts ? [] : manager.noScripts)]
  if (check('the installation', await run(project, add), '')) {
    const script = [...manager.script(program), 'use.mjs']
    if (!postgres) script.push('--without-postgres')
    check('a program', await run(project, script), 'all work')
    const command = [...program, ...manager.run(postgres ? select : ['howdah', '--version'])]
    check('the command', await run(project, command), postgres ? 'answer' : '.')
  }
  if (one.once) {
    const elsewhere = emptyProject(home, manager)
    const command = [...program, ...manager.once(select)]
    check('the command that was not installed', await run(elsewhere, command), 'answer')
  }
  return problems
}

function emptyProject(home, manager) {
  const directory = mkdtempSync(join(home, 'project-'))
  chmodSync(directory, 0o755)
  const files = { 'package.json': '{ "private": true }\n', ...manager.files }
  for (const [file, content] of Object.entries(files)) writeFileSync(join(directory, file), content)
  return directory
}

async function outcome([command, ...args], env) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 600_000 })
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(signal ?? code))
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { status: await ended, stdout, stderr }
}
