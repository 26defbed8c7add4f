// Has the programs that a test runs be the same mutant as the test itself. The names are those of StrykerJS.
import { beforeAll } from 'vitest'

const variable = '__STRYKER_ACTIVE_MUTANT__'

beforeAll(() => {
  const mutant = globalThis['__stryker__']?.activeMutant
  if (mutant === undefined) delete process.env[variable]
  else process.env[variable] = mutant
})
