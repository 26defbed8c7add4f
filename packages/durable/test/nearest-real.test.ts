import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { nearestReal, realAsFarAsThere } from '../src/index.ts'

test('the links of a path are resolved as far as it exists, and the rest is kept', () => {
  using home = temporaryDirectory()
  mkdirSync(home.file('real'))
  symlinkSync('real', home.file('link'))
  expect(nearestReal(home.file('link'))).toEqual({ real: home.file('real'), missing: [] })
  expect(nearestReal(home.file('link', 'a', 'b'))).toEqual({
    real: home.file('real'),
    missing: ['a', 'b'],
  })
  expect(realAsFarAsThere(home.file('link', 'a', 'b'))).toBe(home.file('real', 'a', 'b'))
})

test.each<[string, (path: string) => void]>([
  ['a link that leads nowhere', (path) => symlinkSync('nowhere', path)],
  ['a link that leads to itself', (path) => symlinkSync(path, path)],
])('%s counts as missing', (_, plant) => {
  using home = temporaryDirectory()
  plant(home.file('odd'))
  expect(nearestReal(home.file('odd', 'a'))).toEqual({ real: home.path, missing: ['odd', 'a'] })
})

test('what lies below a file is missing', () => {
  using home = temporaryDirectory()
  writeFileSync(home.file('file'), '')
  expect(nearestReal(home.file('file', 'a'))).toEqual({ real: home.file('file'), missing: ['a'] })
})

test('the root is its own nearest', () => {
  expect(nearestReal('/')).toEqual({ real: '/', missing: [] })
})
