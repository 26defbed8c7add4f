import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { errno, publishFile } from '../src/index.ts'

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')

it("the README's example runs", async () => {
  using directory = temporaryDirectory()
  const path = directory.file('file')
  // README {
  await publishFile(path, 'old')
  await publishFile(path, 'new') // Whoever reads meanwhile reads "old" or "new", never anything else.

  await publishFile(path, 'another', { replace: false }).catch((error: unknown) => {
    if (errno(error) !== 'EEXIST') throw error
  })
  // }
  expect(readFileSync(path, 'utf8')).toBe('new')
})

it("the README's example is this one", () => {
  const example = /```ts\n(.*?)```/s.exec(read('../README.md'))?.[1] ?? 'none'
  const body = /\/\/ README \{\n(.*?) {2}\/\/ \}/s.exec(read('readme.test.ts'))?.[1] ?? 'nothing'
  expect(example).toBe(body.replaceAll(/^ {2}/gm, ''))
})
