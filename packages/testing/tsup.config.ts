import { defineConfig } from 'tsup'
import base from '../../tsup.config.base.ts'

/** The library, and its doors into test runners, which share what they have in common. */
export default defineConfig({
  ...(base as object),
  entry: [
    'src/index.ts',
    'src/inventory.ts',
    'src/jest.ts',
    'src/saving/saver.ts',
    'src/testcontainers.ts',
    'src/vitest.ts',
  ],
  // The test runners' own, which are there if these doors are used.
  external: ['jest-environment-node', 'vitest'],
  splitting: true,
})
