import { defineConfig } from 'tsup'
import base from '../../tsup.config.base.ts'

/** The library, and its doors into test runners, which share what they have in common. */
export default defineConfig({
  ...(base as object),
  entry: [
    'src/index.ts',
    'src/inventory.ts',
    'src/jest.ts',
    'src/testcontainers.ts',
    'src/vitest.ts',
  ],
  // Jest's own, which is there if this is used.
  external: ['jest-environment-node'],
  splitting: true,
})
