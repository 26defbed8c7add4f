import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

it('has every error code in the README', () => {
  const errors = readFileSync(new URL('../src/errors.ts', import.meta.url), 'utf8')
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const codes = new Set(errors.match(/ERR_LOCK_\w+/g))
  expect([...codes].filter((code) => !readme.includes(`| \`${code}\` |`))).toEqual([])
})
