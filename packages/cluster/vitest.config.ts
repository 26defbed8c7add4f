export { default } from '../../vitest.config.together.ts'
