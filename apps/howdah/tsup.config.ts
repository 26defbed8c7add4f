import { cp } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Options } from 'tsup'
import base from '../../tsup.config.base.ts'
import { thirdPartyNotices } from '../../scripts/third-party-notices.ts'

const ours = createRequire(import.meta.url)
const cli = createRequire(ours.resolve('@howdah/cli/package.json'))
const cluster = createRequire(cli.resolve('@howdah/cluster/package.json'))

const dumpPackage = dirname(cli.resolve('@howdah/dump/package.json'))

/** `import()` of a file of our own as `require()`, without which Node would set up its loader of ES modules for it. */
const requiresParts: NonNullable<Options['plugins']>[number] = {
  name: 'requires-parts',
  renderChunk: (code) => ({
    code: code.replaceAll(
      /\bimport\(("\.\/[^"]+")\)/g,
      'Promise.resolve().then(() => require($1))',
    ),
  }),
}

/** A program, not a library: no types. */
const program: Options = Object.assign({}, base, { dts: false, noExternal: [/^@howdah\//] })

/**
 * Our own packages are bundled into the command, and as CommonJS: `howdah exec` would load some sixty files otherwise, and
 * to find and load one takes Node half a millisecond as an ES module, half of that this way. What only some commands need
 * stays in files of its own, and what others have made stays outside, but for what parses each command line and what
 * cannot be required.
 */
const command: Options = {
  ...program,
  entry: ['src/bin.ts'],
  format: 'cjs',
  splitting: true,
  // By Rollup, which makes the better CommonJS of it.
  treeshake: true,
  plugins: [requiresParts],
  // For import.meta.url.
  shims: true,
  noExternal: [/^@howdah\//, 'commander', 'fzstd', 'string-width'],
  esbuildOptions: (options) => {
    // What has no side effects, as our packages say of themselves, is left out where nothing of it is used.
    options.logOverride = { 'ignored-bare-import': 'silent' }
  },
  esbuildPlugins: [thirdPartyNotices('dist/THIRD-PARTY-NOTICES.txt')],
  onSuccess: async () => {
    await cp(join(dirname(cli.resolve('@howdah/lock/package.json')), 'prebuilt'), 'dist/prebuilt', {
      recursive: true,
    })
    // pg_dump, which is a program of others with a licence of its own.
    for (const name of ['pg-dump-worker.js', 'pg_dump.wasm'])
      await cp(join(dumpPackage, 'dist', name), join('dist', name))
    await cp(join(dumpPackage, 'dist/THIRD-PARTY-NOTICES.txt'), 'dist/PG_DUMP-NOTICES.txt')
  },
}

/** What our packages run as programs of their own, and look for beside themselves. */
const beside: Options = {
  ...program,
  entry: {
    guard: join(dirname(cli.resolve('@howdah/lease/package.json')), 'dist/guard.js'),
    'node-watchdog': join(
      dirname(cluster.resolve('@howdah/coordinate/package.json')),
      'dist/node-watchdog.js',
    ),
  },
  clean: false,
}

export default [command, beside]
