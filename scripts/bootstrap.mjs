// Runs a root task with nothing installed but Node and npm: brings the pinned pnpm,
// installs, builds, and then runs the task. `npm start`, `npm test`, `npm run bench` and
// `npm run check` all come through here, so it uses only what Node itself has.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runInMemory } from './in-memory.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { packageManager, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const pnpmVersion = /^pnpm@([^+]+)/.exec(packageManager)[1]

/** What each task runs, after the installation, with pnpm. Words that follow the task are passed to its last step. */
const tasks = {
  install: [],
  build: [['build']],
  demo: [['build'], ['--dir', 'apps/demo', '--silent', 'demo']],
  test: [['build'], ['exec', 'vitest', 'run']],
  bench: [['build'], ['exec', 'turbo', 'run', 'bench', '--concurrency=1']],
  installs: [['build'], ['exec', 'node', 'scripts/try-installs.mjs']],
  check: [
    ['build'],
    ['exec', 'turbo', 'run', 'typecheck', 'pack:check'],
    ['lint'],
    ['exec', 'typedoc', '--emit', 'none'],
    ['format:check'],
    ['unused'],
    ['exec', 'node', 'scripts/pack-check.mjs'],
  ],
}

const [name = '', ...words] = process.argv.slice(2)
const steps = tasks[name]
if (steps === undefined) fail(`unknown task "${name}"; there are ${Object.keys(tasks).join(', ')}`)
checkNode()

const env = environment()
const pnpm = findPnpm()
run([...pnpm, 'install', '--frozen-lockfile', '--prefer-offline', '--silent'])
for (const [index, step] of steps.entries()) {
  const last = index === steps.length - 1
  run([...pnpm, ...step, ...(last ? words : [])], { inMemory: last && name === 'test' })
}

/** pnpm of the pinned version: the one on PATH, else brought by npx. */
function findPnpm() {
  const found = spawnSync('pnpm', ['--version'], { cwd: root, env, encoding: 'utf8' })
  if (found.status === 0 && found.stdout.trim() === pnpmVersion) return ['pnpm']
  return ['npx', '--yes', `pnpm@${pnpmVersion}`]
}

function run([command, ...args], { inMemory = false } = {}) {
  const options = { cwd: root, env, stdio: 'inherit' }
  const { status, signal, error } =
    (inMemory ? runInMemory([command, ...args], options) : null) ??
    spawnSync(command, args, options)
  if (error) fail(`cannot run ${command}: ${error.message}`)
  if (status !== 0) {
    console.error(
      `\nnpm ${name}: "${[command, ...args].join(' ')}" ended with ${signal ?? `status ${status}`}`,
    )
    process.exit(status ?? 1)
  }
}

function environment() {
  return { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }
}

function checkNode() {
  const wanted = engines.node.replace('>=', '').split('.').map(Number)
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < wanted[0] || (major === wanted[0] && minor < wanted[1])) {
    fail(`Node ${engines.node} is needed, and this is ${process.version}`)
  }
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
