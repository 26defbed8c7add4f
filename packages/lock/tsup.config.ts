import { defineConfig } from 'tsup'
import base from '../../tsup.config.base.ts'

/** The entries share what they have in common. */
export default defineConfig({
  ...(base as object),
  entry: {
    index: 'src/index.ts',
    'proper-lockfile': 'src/proper-lockfile/index.ts',
    'web-locks': 'src/web-locks/index.ts',
  },
  splitting: true,
})
