import { appendFileSync, copyFileSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { defineConfig, type Options } from 'tsup'
import { thirdPartyNotices } from '../../scripts/third-party-notices.ts'
import base from '../../tsup.config.base.ts'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

const require = createRequire(import.meta.url)
const tools = dirname(require.resolve('@electric-sql/pglite-tools'))

/**
 * Exports what makes an instance of pg_dump. The package itself exports only a function around it, which dumps PGlite, as
 * INSERTs, and into memory.
 */
const exportsFactory: Plugin = {
  name: 'exports-pg-dump-factory',
  setup(build) {
    build.onLoad({ filter: /pglite-tools\/dist\/chunk-\w+\.js$/ }, ({ path }) => {
      const code = readFileSync(path, 'utf8')
      const [, factory] = /var (\w+)=\(\(\)=>\{var _scriptName=import\.meta\.url/.exec(code) ?? []
      if (factory === undefined) throw new Error(`${path} has no factory of pg_dump`)
      return { contents: `${code}\nexport { ${factory} as createPgDump }`, loader: 'js' }
    })
    build.onResolve({ filter: /^pg-dump-factory$/ }, () => {
      const [, chunk = ''] =
        /from"\.\/(chunk-\w+\.js)"/.exec(readFileSync(join(tools, 'index.js'), 'utf8')) ?? []
      return { path: join(tools, chunk) }
    })
  },
}

export default defineConfig([
  base as Options,
  {
    ...(base as Options),
    entry: { 'pg-dump-worker': 'src/dump/pg-dump-worker.ts' },
    dts: false,
    clean: false,
    noExternal: ['pg-dump-factory'],
    esbuildPlugins: [exportsFactory, thirdPartyNotices('dist/THIRD-PARTY-NOTICES.txt')],
    onSuccess: async () => {
      copyFileSync(join(tools, 'pg_dump.wasm'), 'dist/pg_dump.wasm')
      const licence = readFileSync('../postgres/LICENSE.PostgreSQL', 'utf8')
      appendFileSync(
        'dist/THIRD-PARTY-NOTICES.txt',
        `\n${'-'.repeat(80)}\n\npg_dump of PostgreSQL 18.3 (PostgreSQL)\n\n${licence}`,
      )
    },
  },
])
