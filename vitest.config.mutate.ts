import { defineConfig } from 'vitest/config'
import base from './vitest.config.base.ts'

/** Runs the tests of the one package whose mutants are judged. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: [`packages/${process.env['HOWDAH_MUTATE']}/test/**/*.test.ts`],
  },
})
