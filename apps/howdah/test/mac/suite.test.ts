import { testsOnMacDouble } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { postgresForContainers } from '../postgres-for-containers.ts'
import { whyNoMac } from './on-mac.ts'

/** Of all tests, a few from each of the packages that know what a Mac is. `scripts/macs/suite.mjs` runs any others. */
const files = [
  'packages/lock/test/lock.test.ts',
  'packages/lock/test/process-identity.test.ts',
  'packages/coordinate/test/pin.test.ts',
  'packages/store/test/state-directory.test.ts',
]

test.skipIf(whyNoMac !== null)(
  'tests pass on a double of a Mac, without what is Linux’s alone',
  { timeout: 240_000 },
  async () => {
    const { status, stdout, stderr } = await testsOnMacDouble(files, await postgresForContainers())
    expect([status, status === 0 ? '' : stdout + stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/skipped: only Linux has/)
    expect(stdout).toMatch(/Test Files +4 passed \(4\)/)
  },
)
