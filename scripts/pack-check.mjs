// Packs every publishable package as it would be published, looks at what is in it, installs it into an empty project
// outside the workspace, the way a user would, and loads it from ESM and from CommonJS.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packAll } from './installs/pack-all.mjs'
import { environmentWithout } from './environment-without.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const scratch = mkdtempSync(join(tmpdir(), 'howdah-pack-'))
let failed = 0
let packages
try {
  packages = new Map(packAll(root, scratch).map((one) => [one.name, one]))
  for (const [name, { manifest, tarball }] of packages) {
    try {
      lookAt(name, tarball)
      if (isForHere(manifest)) tryOut(name, manifest)
      console.log(
        `${name}: ${isForHere(manifest) ? 'installs alone, and loads' : 'is for another platform'}`,
      )
    } catch (error) {
      failed += 1
      console.error(`${name}: ${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`)
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
console.log(`${packages.size - failed} packages are as they should be, ${failed} are not`)
process.exitCode = failed === 0 ? 0 : 1

/** Checks what a tarball tells its reader: whose it is, under which licence, and where to complain. */
function lookAt(name, tarball) {
  const directory = mkdtempSync(join(scratch, 'unpacked-'))
  execFileSync('tar', ['-xzf', tarball, '-C', directory])
  const unpacked = join(directory, 'package')
  const manifest = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8'))
  for (const key of ['description', 'homepage', 'bugs', 'license', 'repository'])
    if (manifest[key] === undefined) throw new Error(`package.json has no "${key}"`)
  for (const script of ['preinstall', 'install', 'postinstall'])
    if (manifest.scripts?.[script] !== undefined) throw new Error(`it runs a script, "${script}"`)
  const files = readdirSync(unpacked)
  // PostgreSQL's programs for a platform; those of other platforms are assembled when they are published.
  const isBinary = name.startsWith('@howdah/postgres-')
  const isAssembled = isBinary && files.includes('native')
  const wanted = isBinary ? [] : ['LICENSE', 'README.md']
  if (isAssembled) wanted.push('LICENSE', 'NOTICES.md')
  for (const file of wanted) if (!files.includes(file)) throw new Error(`${file} is missing`)
  const bundled = bundledPackages(join(unpacked, 'dist'))
  if (bundled.size === 0) return
  const notices = readFileSync(join(unpacked, 'dist/THIRD-PARTY-NOTICES.txt'), 'utf8')
  for (const one of bundled)
    if (!notices.includes(`${one} `)) throw new Error(`it holds ${one} without its licence`)
}

/** The names of the packages of others that are part of a build, as its source maps tell. */
function bundledPackages(dist) {
  if (!existsSync(dist)) return new Set()
  const names = readdirSync(dist, { recursive: true })
    .filter((file) => file.endsWith('.map'))
    .flatMap((file) => JSON.parse(readFileSync(join(dist, file), 'utf8')).sources)
    .map((source) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1])
  return new Set(names.filter((name) => name !== undefined && !name.startsWith('@howdah/')))
}

function tryOut(name, manifest) {
  const project = mkdtempSync(join(scratch, 'project-'))
  const fileOf = (other) => `file:${packages.get(other).tarball}`
  const dependencies = { [name]: fileOf(name) }
  const overrides = Object.fromEntries(closure(name).map((other) => [other, fileOf(other)]))
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ private: true, dependencies, overrides }),
  )
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'])
  for (const [entry, { types }] of Object.entries(manifest.exports ?? {})) {
    // Only code has types.
    if (types !== undefined) load(join(name, entry))
  }
  for (const command of Object.keys(manifest.bin ?? {}))
    run(join('node_modules', '.bin', command), ['--version'])

  function load(module) {
    const source = `if (Object.keys(await import('${module}')).length === 0) throw new Error('exports nothing')`
    try {
      run(process.execPath, ['--input-type=module', '-e', source])
      run(process.execPath, ['-e', `require('${module}')`])
    } catch (error) {
      // An entry may need an optional peer, which was not installed.
      const missing = /Cannot find package '([^']+)'/.exec(error.stderr)?.[1]
      if (manifest.peerDependenciesMeta?.[missing]?.optional !== true) throw error
    }
  }

  function run(command, args) {
    execFileSync(command, args, {
      cwd: project,
      encoding: 'utf8',
      stdio: 'pipe',
      env: environment(),
    })
  }
}

/** Whether a package can be installed on this platform. */
function isForHere({ os, cpu }) {
  return (os?.includes(process.platform) ?? true) && (cpu?.includes(process.arch) ?? true)
}

/** The workspace packages below `name`, itself left out. */
function closure(name, seen = new Set()) {
  const { dependencies, optionalDependencies } = packages.get(name).manifest
  for (const other of Object.keys({ ...dependencies, ...optionalDependencies })) {
    if (!packages.has(other) || seen.has(other)) continue
    seen.add(other)
    closure(other, seen)
  }
  return [...seen]
}

/** Without what an outer npm or pnpm has set. */
function environment() {
  return environmentWithout(/^(npm_|NPM_|PNPM_|NODE_PATH)/)
}
