// Installs every publishable package, packed with the workspace packages that it stands on, into an empty project
// outside the workspace, the way a user would, and loads it from ESM and from CommonJS.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const packages = new Map(
  ['packages', 'apps']
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
    .map((directory) => [
      directory,
      JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')),
    ])
    .filter(([, manifest]) => manifest.private !== true)
    .map(([directory, manifest]) => [manifest.name, { directory, manifest }]),
)
const scratch = mkdtempSync(join(tmpdir(), 'howdah-pack-'))
let failed = 0
try {
  const tarballs = new Map([...packages].map(([name, { directory }]) => [name, pack(directory)]))
  for (const [name, { manifest }] of packages) {
    try {
      tryOut(name, manifest, tarballs)
      console.log(`${name}: installs alone, and loads`)
    } catch (error) {
      failed += 1
      console.error(`${name}: ${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`)
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
console.log(`${packages.size - failed} packages install and load, ${failed} do not`)
process.exitCode = failed === 0 ? 0 : 1

function pack(directory) {
  const output = execFileSync('pnpm', ['pack', '--json', '--pack-destination', scratch], {
    cwd: directory,
    encoding: 'utf8',
  })
  return JSON.parse(output).filename
}

function tryOut(name, manifest, tarballs) {
  const project = mkdtempSync(join(scratch, 'project-'))
  const own = closure(name)
  const dependencies = { [name]: `file:${tarballs.get(name)}` }
  const overrides = Object.fromEntries(own.map((other) => [other, `file:${tarballs.get(other)}`]))
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ private: true, dependencies, overrides }),
  )
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'])
  if (manifest.exports?.['.'] !== undefined) {
    run(process.execPath, [
      '--input-type=module',
      '-e',
      `if (Object.keys(await import('${name}')).length === 0) throw new Error('exports nothing')`,
    ])
    run(process.execPath, ['-e', `require('${name}')`])
  }
  for (const command of Object.keys(manifest.bin ?? {}))
    run(join('node_modules', '.bin', command), ['--version'])

  function run(command, args) {
    execFileSync(command, args, {
      cwd: project,
      encoding: 'utf8',
      stdio: 'pipe',
      env: environment(),
    })
  }
}

/** The workspace packages below `name`, itself left out. */
function closure(name, seen = new Set()) {
  for (const other of Object.keys(packages.get(name).manifest.dependencies ?? {})) {
    if (!packages.has(other) || seen.has(other)) continue
    seen.add(other)
    closure(other, seen)
  }
  return [...seen]
}

/** Without what an outer npm or pnpm has set, but for where Node's headers lie. */
function environment() {
  const kept = Object.entries(process.env).filter(
    ([key]) => !/^(npm_|NPM_|PNPM_|NODE_PATH)/.test(key) || key === 'npm_config_nodedir',
  )
  return Object.fromEntries(kept)
}
