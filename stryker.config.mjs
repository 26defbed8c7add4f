// What `pnpm mutate PACKAGE` hands to StrykerJS; see scripts/mutate.mjs, which names the package.
const name = process.env.HOWDAH_MUTATE

export default {
  plugins: ['@stryker-mutator/vitest-runner', './scripts/mutant-reporter.mjs'],
  testRunner: 'vitest',
  // Tests come to the sources by what is built of them, which vitest does not see.
  vitest: { configFile: 'vitest.config.mutate.ts', related: false },
  // Also the programs that tests run are changed ones.
  buildCommand: `pnpm --dir packages/${name} exec tsup --no-dts`,
  mutate: [`packages/${name}/src/**/*.ts`, `!packages/${name}/src/**/index.ts`],
  // What an error says is compared where it matters; else every word of a message would be a survivor.
  mutator: { excludedMutations: ['StringLiteral'] },
  ignorePatterns: ['/apps', '/packages/postgres', '/.ci', '/.turbo', 'bench', 'coverage'],
  coverageAnalysis: 'perTest',
  concurrency: 2,
  timeoutMS: 6000,
  disableTypeChecks: false,
  reporters: ['survivors', 'clear-text', 'json'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `mutation/${name}.json` },
  tempDirName: '.stryker-tmp',
  cleanTempDir: 'always',
  allowEmpty: true,
}
