// @vitest-environment-options { "alone": "file-store-nfs" }
import { writeFileSync } from 'node:fs'
import { link as realLink } from 'node:fs/promises'
import { temporaryDirectory } from '@howdah/fixtures'
import { afterEach, expect, test, vi } from 'vitest'
import { FileStore } from '../src/file/file-store.ts'
import { createFileLeaser } from '../src/index.ts'
import { refusalOf } from './describe-leaser.ts'

/** How link(2) answers; what it does is real, except for the last. */
let answer: 'honest' | 'EEXIST though it was made' | 'made though it was not' = 'honest'
/** What another process does right after a link. */
let afterLink: () => void = () => {}

vi.mock('node:fs/promises', async (original) => {
  const actual = await original<{ link: typeof realLink }>()
  return {
    ...actual,
    link: async (from: string, to: string) => {
      if (answer === 'made though it was not') return
      await actual.link(from, to)
      afterLink()
      // As an NFS client is answered whose request was sent twice.
      if (answer !== 'honest') throw Object.assign(new Error('EEXIST'), { code: 'EEXIST' })
    },
  }
})

afterEach(() => {
  answer = 'honest'
  afterLink = () => {}
})

test('a link that was made counts, whatever the call answered', async () => {
  using directory = temporaryDirectory()
  const leaser = createFileLeaser({ dir: directory.path })
  answer = 'EEXIST though it was made'
  const lease = await leaser.acquire()
  await leaser.release(await leaser.renew(lease))
  expect(await leaser.inspect()).toMatchObject({ generation: 1n, held: false })
})

test('a link that was not made does not count, whatever the call answered', async () => {
  using directory = temporaryDirectory()
  const leaser = createFileLeaser({ dir: directory.path })
  answer = 'made though it was not'
  expect(await refusalOf(leaser.acquire())).toMatchObject({ code: 'ERR_LEASE_UNAVAILABLE' })
  expect(await leaser.inspect()).toBeNull()
})

test('a state that another followed at once was made, but is not the present one', async () => {
  using directory = temporaryDirectory()
  const store = new FileStore(directory.path, 'lock.json', {})
  const base = await store.read()
  afterLink = () => writeFileSync(directory.file('lock.json.2'), 'the next state')
  expect(await store.swap(base, Buffer.from('a state'))).toMatchObject({ present: false })
})
