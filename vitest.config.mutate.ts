import { defineConfig } from 'vitest/config'
import base from './vitest.config.base.ts'

/** Runs the tests of the one package whose mutants are judged. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: [`packages/${process.env['HOWDAH_MUTATE']}/test/**/*.test.ts`],
    // StrykerJS runs tests in threads, which cannot change the environment that the system's own calls see.
    exclude: ['**/state-directory.test.ts'],
  },
})
