import { mergeConfig } from 'vitest/config'
import base from './vitest.config.base.ts'

/**
 * For packages whose tests give back what they change in their process: their files follow one another in the same processes. To
 * start one for each file costs half a second of CPU.
 *
 * A test that mocks a module begins with `// @vitest-environment-options { "alone": "…" }`, with its own name. Vitest gives a
 * process only to files whose environments have the same options, so that one has a process of its own.
 */
export default mergeConfig(base, { test: { isolate: false } })
