import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    setupFiles: ['@howdah/testing/vitest'],
    provide: { testDatabases: { migrate: 'migrations/*.sql' } },
  },
})
