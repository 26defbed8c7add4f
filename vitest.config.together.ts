import { mergeConfig } from 'vitest/config'
import base from './vitest.config.base.ts'

/**
 * For packages whose tests mock no module, and give back what they change in their process: their files follow one another
 * in the same processes. To start one for each file costs most of a second of CPU.
 */
export default mergeConfig(base, { test: { isolate: false } })
