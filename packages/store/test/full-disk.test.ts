import { readFileSync } from 'node:fs'
import { SmallDisk, onFullDisk } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { LockedDocument, Store } from '../src/index.ts'

const whyNot = SmallDisk.whyNot()
const old = { text: 'old'.padEnd(4000, '.') }
// The content is long, so that the disk can have room for one copy but not for two.
const changed = { text: 'new'.padEnd(5 * 4096 - 100, '.') }

describe.skipIf(whyNot !== null)(`on a full disk (${whyNot ?? 'mounted for this test'})`, () => {
  test.each([true, false])(
    'a document and its last good version are the old or the new, durable: %s',
    async (durable) => {
      using disk = SmallDisk.mount(256)
      const path = disk.file('document.json')
      const open = () => new LockedDocument(path, { empty: () => ({ text: '' }), durable })
      const write = async (value: { text: string }) =>
        await open().update((document) => void Object.assign(document, value))
      const refused = await onFullDisk(disk, {
        prepare: () => write(old),
        act: () => write(changed),
        look: async () => [await open().read(), JSON.parse(readFileSync(`${path}.good`, 'utf8'))],
        old: [old, old],
        new: [changed, changed],
        refusal: { code: 'ERR_STORE_IO', path },
      })
      expect(refused).toBeGreaterThanOrEqual(9)
    },
  )

  test.each(['saved', 'saved as the first of its segment'])(
    'an entry is %s, whole, or not at all',
    async (how) => {
      using disk = SmallDisk.mount(256)
      const open = () => new Store<{ text: string }>(disk.path)
      const states = async () => {
        const found: unknown[] = []
        for await (const listed of open().all()) {
          if (listed.error !== null) throw listed.error
          found.push(listed.state)
        }
        return found
      }
      const save = async (value: { text: string }) => await (await open().segment(1)).save(value)
      const isFirst = how !== 'saved'
      const refused = await onFullDisk(disk, {
        prepare: () => (isFirst ? undefined : save(old)),
        act: () => save(changed),
        look: states,
        old: isFirst ? [] : [old],
        new: isFirst ? [changed] : [old, changed],
        refusal: { code: 'ERR_STORE_IO', path: disk.path },
        mayChange: (path) => isFirst && path.endsWith('lock'),
      })
      expect(refused).toBeGreaterThan(0)
    },
  )
})
