// Tries a release of the last commit without publishing anything: in a clone, changesets become versions and changelogs, all is built and
// packed, published to a registry on loopback, installed from there and used. `--into DIRECTORY` keeps the tarballs and a bill of
// materials, which is what the release workflow publishes; `--every-platform` also packs the PostgreSQLs of other platforms.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { environmentWithout } from './environment-without.mjs'
import { packAll } from './installs/pack-all.mjs'
import { Registry } from './installs/registry.mjs'
import { Tools } from './installs/tools.mjs'
import { billOfMaterials } from './release/bill-of-materials.mjs'

const { values: options } = parseArgs({
  options: { into: { type: 'string' }, 'every-platform': { type: 'boolean', default: false } },
})
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const scratch = mkdtempSync(join(tmpdir(), 'howdah-release-'))
// As root, servers run as another user, who has to get through.
chmodSync(scratch, 0o755)
const into = resolve(options.into ?? join(scratch, 'release'))
const clone = join(scratch, 'clone')
const home = join(scratch, 'home')
// The bill of materials has its name.
const project = join(home, 'howdah-packages')
let registry
try {
  for (const directory of [into, project]) mkdirSync(directory, { recursive: true })
  if (readdirSync(into).length > 0) throw new Error(`${into} is not empty: name another directory`)

  step('versions and changelogs')
  run('git', ['clone', '--quiet', root, clone], root)
  run('pnpm', ['install', '--frozen-lockfile', '--prefer-offline', '--silent'], clone)
  run('pnpm', ['exec', 'changeset', 'version'], clone)
  run('pnpm', ['install', '--frozen-lockfile', '--offline', '--silent'], clone)

  step('build and pack')
  run('pnpm', ['build'], clone)
  const packed = packAll(clone, into, undefined, { everyPlatform: options['every-platform'] })
  for (const one of packed) lookAt(one)

  step('publish to a registry on loopback')
  const cache = join(root, 'node_modules/.cache/try-installs')
  registry = await Registry.start(new Tools(join(cache, 'tools')), join(cache, 'registry'))
  const token = `//127.0.0.1:${registry.port}/:_authToken=${await registry.token()}`
  writeFileSync(join(home, '.npmrc'), `registry=${registry.url}\n${token}\n`)
  const publish = join(root, 'scripts/release/publish.mjs')
  run(process.execPath, [publish, into], project)

  step('install and use')
  const { version } = packed.find(({ name }) => name === 'howdah').manifest
  const manifest = { name: 'howdah-packages', version, private: true, type: 'module' }
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest))
  copyFileSync(join(root, 'scripts/installs/use.mjs'), join(project, 'use.mjs'))
  const names = packed
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('@howdah/postgres-'))
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...names], project)
  run(process.execPath, ['use.mjs'], project)
  run('npx', ['howdah', 'exec', '--temporary', '--', 'npx', 'howdah', 'version'], project)
  const bill = billOfMaterials(project, environment())
  writeFileSync(join(into, 'howdah.cdx.json'), `${JSON.stringify(bill, null, 2)}\n`)

  step(options.into === undefined ? 'all is well' : `all is well, and in ${into}`)
  for (const one of packed) console.log(`${one.name} ${one.manifest.version}`)
} finally {
  await registry?.stop()
  rmSync(scratch, { recursive: true, force: true })
}

/** Refuses what npm would take, and nobody could use. */
function lookAt({ name, manifest, tarball }) {
  const { version, dependencies, optionalDependencies, peerDependencies } = manifest
  if (version === '0.0.0') throw new Error(`${name} has no version: add a changeset for it`)
  const ranges = Object.values({ ...dependencies, ...optionalDependencies, ...peerDependencies })
  const odd = ranges.find((range) => /^(workspace|catalog|file|link):/.test(range))
  if (odd !== undefined) throw new Error(`${name} depends on "${odd}", which nobody else has`)
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).split('\n')
  const hasChangelog = existsSync(join(clone, 'packages', name.split('/').at(-1), 'CHANGELOG.md'))
  if (hasChangelog && !files.includes('package/CHANGELOG.md'))
    throw new Error(`${name} lacks its changelog`)
  const isBinary = name.startsWith('@howdah/postgres-')
  if (isBinary && options['every-platform'] && !files.includes('package/native/bin/postgres'))
    throw new Error(`${name} lacks PostgreSQL`)
}

function step(title) {
  console.log(`\n== ${title}`)
}

function run(command, args, cwd) {
  execFileSync(command, args, {
    cwd,
    env: environment(cwd),
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}

/** In the project, what a new user has. */
function environment(cwd = project) {
  const env = environmentWithout(/^(npm_|NPM_|PNPM_|NODE_PATH)/)
  if (cwd !== project) return env
  return {
    ...env,
    HOME: home,
    HOWDAH_CACHE_DIR: join(home, 'cache'),
    HOWDAH_STATE_DIR: join(home, 'state'),
  }
}
