// Runs the examples as their readers would: installed from packages as they would be published, by npm, each with its own
// `npm test`. Words choose examples by name; `--suites` also runs suites of 200 tests under each runner, in two terminals at once, and
// interrupts them.
import { execFile, execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runners, writeSuite } from '../packages/testing/test/support/suites.mjs'
import { interrupt } from './suites/interrupt.mjs'
import { packAll } from './installs/pack-all.mjs'
import { environmentWithout } from './environment-without.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const words = process.argv.slice(2)
const chosen = words.filter((word) => !word.startsWith('-'))
// Not below node_modules, where Jest finds no tests.
const cache = mkdtempSync(join(tmpdir(), 'howdah-examples-'))
const tarballs = join(cache, 'tarballs')
mkdirSync(tarballs, { recursive: true })
const needed = closure('@howdah/testing')
for (const name of ['@howdah/lease', 'howdah']) closure(name, needed)
needed.add('@howdah/postgres').add(`@howdah/postgres-${process.platform}-${process.arch}`)
const packed = packAll(root, tarballs, (name) => needed.has(name))
const ours = new Map(packed.map(({ name, tarball }) => [name, `file:${tarball}`]))
const run = promisify(execFile)

const names = readdirSync(join(root, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .filter((name) => chosen.length === 0 || chosen.includes(name))
let failed = 0
for (const name of names) await report(name, async () => await tryExample(name))
if (words.includes('--suites')) {
  const homes = { 'vitest, forks': 'vitest', 'vitest, threads': 'vitest', Playwright: 'playwright' }
  for (const runner of runners) {
    const home = homes[runner] ?? (runner === 'node:test' ? 'node-test' : runner)
    if (names.includes(home)) await report(`200 tests, ${runner}`, () => trySuite(home, runner))
  }
}
rmSync(cache, { recursive: true, force: true })
process.exitCode = failed === 0 ? 0 : 1

async function report(title, action) {
  const started = performance.now()
  try {
    await action()
    console.log(`works  ${title} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  } catch (error) {
    failed += 1
    console.log(`FAILS  ${title}\n${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`)
  }
}

async function tryExample(name) {
  const project = join(cache, name)
  cpSync(join(root, 'examples', name), project, { recursive: true })
  const path = join(project, 'package.json')
  const manifest = JSON.parse(readFileSync(path, 'utf8'))
  for (const dependencies of [manifest.dependencies, manifest.devDependencies])
    for (const one of Object.keys(dependencies ?? {}))
      if (ours.has(one)) dependencies[one] = ours.get(one)
  const direct = { ...manifest.dependencies, ...manifest.devDependencies }
  const overrides = [...ours].filter(([one]) => direct[one] === undefined)
  manifest.overrides = Object.fromEntries(overrides)
  writeFileSync(path, JSON.stringify(manifest, null, 2))
  const options = { cwd: project, env: environment() }
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
    ...options,
    stdio: 'pipe',
  })
  await run('npm', ['test'], options)
}

/** Two at once, on one server of howdah's own; then one that is ended in the middle, by Ctrl-C and by SIGKILL. */
async function trySuite(home, runner) {
  const project = join(cache, home, 'suite')
  rmSync(project, { recursive: true, force: true })
  const args = writeSuite(project, runner).map((word) =>
    word.startsWith('node_modules/') ? join('..', word) : word,
  )
  const options = { cwd: project, env: environment() }
  await Promise.all([1, 2].map(async () => await run(process.execPath, args, options)))
  for (const signal of ['SIGINT', 'SIGKILL']) await interrupt(signal, args, options)
}

/** Without what an outer npm, pnpm or runner has set. */
function environment() {
  return environmentWithout(/^(npm_|NPM_|PNPM_|NODE_PATH|VITEST|JEST)/)
}

/** A package of ours, and those that it stands on. */
function closure(name, found = new Set()) {
  found.add(name)
  const directory = name === 'howdah' ? 'apps/howdah' : `packages/${name.replace('@howdah/', '')}`
  const path = join(root, directory, 'package.json')
  const { dependencies = {} } = JSON.parse(readFileSync(path, 'utf8'))
  for (const other of Object.keys(dependencies))
    if (other.startsWith('@howdah/') && !found.has(other)) closure(other, found)
  return found
}
