import { SmallDisk, onFullDisk } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { Registry, write } from '../src/index.ts'

const whyNot = SmallDisk.whyNot()
/** So many that the table takes several pages. */
const rulesBelow = (directory: string) =>
  Array.from({ length: 60 }, (_, number) => write(`/${directory}/${number}/${'long'.repeat(50)}`))

describe.skipIf(whyNot !== null)(`on a full disk (${whyNot ?? 'mounted for this test'})`, () => {
  const scenes = {
    'a first allocation is there, or not': { before: [] },
    'a further allocation is there, or not, beside those before': { before: ['one', 'two'] },
  }
  test.each(Object.entries(scenes))('%s', async (_, { before }) => {
    using disk = SmallDisk.mount(512)
    const path = disk.file('registry.json')
    const register = (name: string) =>
      new Registry({ path }).register(name, { allow: rulesBelow(name) })
    const refused = await onFullDisk(disk, {
      prepare: async () => {
        for (const name of before) await register(name)
      },
      act: () => register('new'),
      look: async () => (await new Registry({ path }).list()).map(({ name }) => name),
      old: before,
      new: [...before, 'new'],
      refusal: { code: 'ERR_REGISTRY_TABLE', path },
      mayChange: (file) => before.length === 0 && file.endsWith('.lock'),
    })
    expect(refused).toBeGreaterThan(0)
  })
})
