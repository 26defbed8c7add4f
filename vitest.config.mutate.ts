import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import base from './vitest.config.base.ts'

const name = process.env['HOWDAH_MUTATE']
const tests = process.env['HOWDAH_MUTATE_TESTS'] || `packages/${name}/test/**/*.test.ts`

/** Runs the tests that judge the mutants of one package. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: tests.split(','),
    // StrykerJS runs tests in threads, which cannot change the environment that the system's own calls see.
    exclude: ['**/state-directory.test.ts'],
    setupFiles: fileURLToPath(new URL('scripts/mutant-setup.mjs', import.meta.url)),
  },
})
