import { existsSync } from 'node:fs'
import { chmod, cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, type OutputOptions, type Plugin, type RolldownOptions } from 'rolldown'
import { noticesOf } from '../../scripts/third-party-notices.ts'
import manifest from './package.json' with { type: 'json' }

const packages = fileURLToPath(new URL('../../packages', import.meta.url))
const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Packages that are not bundled: they are installed with the command, or by users who need them. */
const outside = [
  'pg-native',
  ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).filter(
    // Dependencies of the library, which the command has in itself.
    (name) => !name.startsWith('@howdah/'),
  ),
]

/** Takes our own packages from their sources, so that each part has only what it uses. */
const ownSources: Plugin = {
  name: 'own-sources',
  resolveId(id) {
    const [, name, door = 'index'] = /^@howdah\/([^/]+)(?:\/([^/]+))?$/.exec(id) ?? []
    if (name === undefined) return null
    const source = join(packages, name, 'src', door)
    return [`${source}.ts`, join(source, 'index.ts')].find((path) => existsSync(path)) ?? null
  },
}

/** Writes the licences of the packages of others that the bundle holds. */
const notices: Plugin = {
  name: 'third-party-notices',
  generateBundle(_, bundle) {
    const chunks = Object.values(bundle).filter((one) => one.type === 'chunk')
    const source = noticesOf(chunks.flatMap(({ moduleIds }) => moduleIds))
    this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY-NOTICES.txt', source })
  },
}

/** Refuses what others have made in a file that carries no licences. */
const ownAlone: Plugin = {
  name: 'own-alone',
  generateBundle(_, bundle) {
    const chunks = Object.values(bundle).filter((one) => one.type === 'chunk')
    const found = noticesOf(chunks.flatMap(({ moduleIds }) => moduleIds))
    if (found !== '') this.error(`these files carry no licences, and would need that of ${found}`)
  },
}

/** What is loaded together is one file, because to find and load another one takes Node half a millisecond. */
const together = new Map<string, string>()
const parts: Plugin = {
  name: 'parts',
  buildEnd() {
    const add = (part: string, id: string) => {
      if (together.has(id)) return
      together.set(id, part)
      for (const imported of this.getModuleInfo(id)?.importedIds ?? []) add(part, imported)
    }
    add('base', file('src/command.ts'))
    add('usual', join(packages, 'cli/src/program/usual-commands.ts'))
  },
}

/** Modules of Node's that take it long to load, and that usual commands can do without. What is loaded on use needs them. */
const heavy = new Set(['child_process', 'crypto', 'net', 'worker_threads', 'zlib'])

/** Loads those at their first use. */
const onUse: Plugin = {
  name: 'on-use',
  renderChunk(code, { name: part }) {
    if (!['base', 'usual'].includes(part)) return null
    const lazy = code.replaceAll(
      /^(\s*)(?:let|const) (\w+) = require\("node:(\w+)"\);$/gm,
      (whole: string, indent: string, variable: string, module: string) => {
        if (!heavy.has(module) || code.includes(`__toESM(${variable}`)) return whole
        const uses = code.matchAll(new RegExp(`\\b${variable}\\.(\\w+)`, 'g'))
        const members = new Set([...uses].map(([, member]) => member))
        const getters = [...members].map(
          (member) => `get ${member}() { return require("node:${module}").${member}; }`,
        )
        return `${indent}const ${variable} = { ${getters.join(', ')} };`
      },
    )
    return { code: lazy }
  },
}

/** ASCII alone, of which V8 needs a byte for each character. In a regular expression and in a string an escape means the same. */
const ascii: Plugin = {
  name: 'ascii',
  // After rolldown has printed the code for the last time.
  async writeBundle({ dir = 'dist' }, bundle) {
    for (const { type, fileName } of Object.values(bundle)) {
      if (type !== 'chunk') continue
      const path = join(dir, fileName)
      await writeFile(path, escaped(await readFile(path, 'utf8')), 'latin1')
    }
  },
}

function escaped(code: string): string {
  return code.replaceAll(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Lets the command be run by its path. */
const executable: Plugin = {
  name: 'executable',
  writeBundle: async () => await chmod('dist/bin.cjs', 0o755),
}

/** What the command runs, or reads, as files of their own. */
const beside: Plugin = {
  name: 'beside',
  async writeBundle() {
    const dump = join(packages, 'dump/dist')
    await cp(join(packages, 'lock/prebuilt'), 'dist/prebuilt', { recursive: true })
    // pg_dump, which is a program of others with a licence of its own.
    for (const name of ['pg-dump-worker.js', 'pg_dump.wasm'])
      await cp(join(dump, name), join('dist', name))
    await cp(join(packages, 'project/howdah.schema.json'), 'howdah.schema.json')
    await cp(join(dump, 'THIRD-PARTY-NOTICES.txt'), 'dist/PG_DUMP-NOTICES.txt')
  },
}

const base: RolldownOptions = {
  platform: 'node',
  transform: { target: 'node20' },
}

const external = (id: string) =>
  id.startsWith('node:') || outside.some((name) => id === name || id.startsWith(`${name}/`))

const cjs: OutputOptions = {
  dir: 'dist',
  format: 'cjs',
  comments: { legal: true, annotation: false, jsdoc: false },
  dynamicImportInCjs: false,
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name]-[hash].cjs',
}

export default defineConfig([
  { ...base, external, input: file('src/bin.ts'), plugins: [executable, ownAlone], output: cjs },
  {
    ...base,
    external,
    input: file('src/command.ts'),
    plugins: [ownSources, parts, notices, onUse, ascii, beside],
    // In the command, what the library loads on use may be loaded at once.
    checks: { ineffectiveDynamicImport: false },
    output: {
      ...cjs,
      codeSplitting: {
        groups: ['base', 'usual'].map((part) => ({
          name: part,
          test: (id: string) =>
            (together.get(id) ?? 'base') === part && (together.has(id) || id.startsWith('\0')),
        })),
      },
    },
  },
  {
    ...base,
    external,
    input: {
      guard: join(packages, 'lease/src/command/guard.ts'),
      'node-watchdog': join(packages, 'coordinate/src/watchdog/node-watchdog.ts'),
    },
    plugins: [ownSources, ownAlone],
    output: { dir: 'dist', format: 'esm', comments: false },
  },
])
