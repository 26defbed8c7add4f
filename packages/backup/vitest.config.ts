// Not in shared processes: some of these tests take the place of functions of node:fs.
export { default } from '../../vitest.config.base.ts'
