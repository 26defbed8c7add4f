import { defineConfig } from 'tsup'
import base from '../../tsup.config.base.ts'

/** The watchdog for systems without flock(1) is a program of its own beside the library. */
export default defineConfig({
  ...(base as object),
  entry: { index: 'src/index.ts', 'node-watchdog': 'src/watchdog/node-watchdog.ts' },
  dts: { entry: 'src/index.ts', compilerOptions: { ignoreDeprecations: '6.0' } },
})
