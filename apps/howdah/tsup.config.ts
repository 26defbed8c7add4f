import type { Options } from 'tsup'
import base from '../../tsup.config.base.ts'

/** A program, not a library: no types. What it depends on is installed, so nothing is bundled into it. */
const program: Options = Object.assign({}, base, { entry: ['src/bin.ts'], dts: false })
export default program
