import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { temporaryDirectory } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { onPath, onPlatform } from '../../src/index.ts'
import { fakeBindir } from '../fake-bindir.ts'

test.each([
  [
    'Applications/Postgres.app/Contents/Versions/18',
    'Applications/Postgres.app/Contents/Versions/latest',
  ],
  ['opt/homebrew/opt/postgresql@18', 'opt/homebrew/opt/postgresql'],
])('an installation is listed once, although %s is also %s', async (path, alias) => {
  using root = temporaryDirectory()
  const bindir = fakeBindir(root.file(path, 'bin'), { version: '18.1' })
  mkdirSync(dirname(root.file(alias)), { recursive: true })
  symlinkSync(root.file(path), root.file(alias))
  const options = {
    platform: 'darwin',
    home: root.file('home'),
    root: root.path,
    env: {},
    cacheDir: root.file('cache'),
  } as const
  const found = await onPlatform(options).runtimes()
  expect(found.map((runtime) => runtime.bindir)).toEqual([bindir])
})

test('the first of several links to one installation counts if the directory itself is not searched', async () => {
  using root = temporaryDirectory()
  fakeBindir(root.file('Cellar/18/bin'), { version: '18.1' })
  const links = ['one', 'other'].map((name) => root.file(name))
  for (const link of links) symlinkSync(root.file('Cellar/18'), link)
  const found = await onPath(
    links.map((link) => `${link}/bin`),
    { cacheDir: root.file('cache') },
  ).runtimes()
  expect(found.map((runtime) => runtime.bindir)).toEqual([`${links[0]}/bin`])
})
