// `pnpm mutate PACKAGE [FILE…]`: changes the source of a package in one place at a time, and tells which changes no test of
// the package notices. Files are named from the package's `src`; without them it is all of it. The packages have to be built.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [name, ...files] = process.argv.slice(2)
if (name === undefined || !existsSync(join(root, 'packages', name, 'src'))) {
  console.error('usage: pnpm mutate PACKAGE [FILE…], such as: pnpm mutate ltx crc64.ts')
  process.exit(2)
}

const mutated = files.map((file) => `packages/${name}/src/${file}`).join(',')
const child = spawn(
  'pnpm',
  ['exec', 'stryker', 'run', ...(mutated === '' ? [] : ['--mutate', mutated])],
  {
    cwd: root,
    stdio: 'inherit',
    // Tests that draw at random draw a little: each mutant meets all tests that reach it.
    env: { HOWDAH_TEST_COUNT: '0.02', ...process.env, HOWDAH_MUTATE: name },
  },
)
child.once('exit', (status) => {
  process.exitCode = status ?? 1
})
