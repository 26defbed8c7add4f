import {
  existsSync,
  lstatSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { writeNewFile } from '../src/index.ts'

it.each([
  ['a file', (path: string) => writeFileSync(path, 'old')],
  ['a link to a file', (path: string) => symlinkSync('target', path)],
  ['a link that leads nowhere', (path: string) => symlinkSync('nowhere', path)],
])('makes nothing in the place of %s, and changes nothing', async (_, make) => {
  using place = temporaryDirectory()
  writeFileSync(place.file('target'), 'old')
  make(place.file('file'))
  const before = lstatSync(place.file('file'))
  const written = writeNewFile(place.file('file'), 'new')
  await expect(written).rejects.toMatchObject({ code: 'EEXIST' })
  expect(lstatSync(place.file('file'))).toMatchObject({ ino: before.ino, size: before.size })
  expect(readFileSync(place.file('target'), 'utf8')).toBe('old')
  expect(readdirSync(place.path).toSorted()).toEqual(['file', 'target'])
})

it('leaves nothing if it cannot be prepared', async () => {
  using place = temporaryDirectory()
  const prepare = () => {
    throw new Error('not now')
  }
  await expect(writeNewFile(place.file('file'), 'new', { prepare })).rejects.toThrow('not now')
  expect(existsSync(place.file('file'))).toBe(false)
})

it('is whole, and has its mode before anything is in it', async () => {
  using place = temporaryDirectory()
  const path = place.file('file')
  const seen: unknown[] = []
  const prepare = () => {
    const { mode, size } = lstatSync(path)
    seen.push([mode & 0o777, size])
  }
  await writeNewFile(path, Buffer.from('new'), { mode: 0o600, prepare })
  expect([seen, readFileSync(path, 'utf8')]).toEqual([[[0o600, 0]], 'new'])
})
