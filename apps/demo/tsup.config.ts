import type { Options } from 'tsup'
import base from '../../tsup.config.base.ts'

/** Two programs, the main process and its workers. */
const programs: Options = Object.assign({}, base, {
  entry: ['src/main.ts', 'src/worker.ts'],
  dts: false,
})
export default programs
