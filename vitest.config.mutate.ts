import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vitest/config'
import base from './vitest.config.base.ts'

const name = process.env['HOWDAH_MUTATE']
const tests = process.env['HOWDAH_MUTATE_TESTS'] || `packages/${name}/test/**/*.test.ts`

/** StrykerJS asks for threads, in which neither the umask nor the environment that the system sees can be changed. */
const inProcesses: Plugin = {
  name: 'tests-in-processes',
  configureVitest: ({ project }) => {
    project.config.pool = 'forks'
  },
}

/** Runs the tests that judge the mutants of one package. */
export default defineConfig({
  ...base,
  plugins: [inProcesses],
  test: {
    ...base.test,
    include: tests.split(','),
    setupFiles: fileURLToPath(new URL('scripts/mutant-setup.mjs', import.meta.url)),
  },
})
