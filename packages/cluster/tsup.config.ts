import { defineConfig, type Options } from 'tsup'
import base from '../../tsup.config.base.ts'

/** One entry for everybody, and one for the other packages of this project. */
export default defineConfig({
  ...(base as Options),
  entry: { index: 'src/index.ts', inside: 'src/inside.ts' },
})
