import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { workers } from './scripts/workers.mjs'
import { byFirstLine } from './vitest.order.ts'

/** Every package's tests run alike: real parts in real processes, so with room for a slow machine. */
export default defineConfig({
  plugins: [byFirstLine],
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: fileURLToPath(new URL('vitest.global-setup.ts', import.meta.url)),
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // What is built needs no transformation, and Node loads it faster than Vite.
    server: { deps: { external: [/\/(?:packages|apps)\/[^/]+\/dist\//] } },
    maxWorkers: workers,
    tags: [
      {
        name: 'property',
        description:
          'Draws at random, from another seed for each HOWDAH_TEST_SEED: what `pnpm fuzz` runs.',
      },
    ],
  },
})
