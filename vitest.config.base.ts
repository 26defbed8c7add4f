import { defineConfig } from 'vitest/config'

/** Every package's tests run alike: real parts in real processes, so with room for a slow machine. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
  },
})
