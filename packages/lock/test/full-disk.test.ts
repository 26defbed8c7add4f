import { writeFileSync } from 'node:fs'
import { SmallDisk, onFullDisk } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { DataDirLock, PidFile, lockedFile } from '../src/index.ts'

const whyNot = SmallDisk.whyNot()
/** In pages. */
const size = 5
const old = 'old'.padEnd(size * 4096, '.')
const changed = 'new'.padEnd(size * 4096, '.')

describe.skipIf(whyNot !== null)(`on a full disk (${whyNot ?? 'mounted for this test'})`, () => {
  test.each([true, false])(
    'a locked file holds the old or the new content, durable: %s',
    async (durable) => {
      using disk = SmallDisk.mount(256)
      const path = disk.file('file')
      const refused = await onFullDisk(disk, {
        prepare: () => lockedFile.write(path, old),
        act: () => lockedFile.transform(path, () => changed, { durable }),
        look: () => lockedFile.read(path),
        old,
        new: changed,
        refusal: { code: 'ERR_LOCK_NO_SPACE', path },
      })
      expect(refused).toBeGreaterThanOrEqual(size)
    },
  )

  test('a new locked file is made whole or not at all', async () => {
    using disk = SmallDisk.mount(256)
    const path = disk.file('file')
    const refused = await onFullDisk(disk, {
      prepare: () => undefined,
      act: () => lockedFile.write(path, changed),
      look: () => lockedFile.read(path).catch(() => null),
      old: null,
      new: changed,
      refusal: { code: 'ERR_LOCK_NO_SPACE', path },
    })
    expect(refused).toBeGreaterThan(0)
  })

  test('a pidfile names its old process or the new one', async () => {
    using disk = SmallDisk.mount(256)
    const path = disk.file('pid')
    const refused = await onFullDisk(disk, {
      prepare: () => writeFileSync(path, '123456'),
      act: () => PidFile.write(path),
      look: () => PidFile.read(path),
      old: 123_456,
      new: process.pid,
      refusal: { code: 'ERR_LOCK_NO_SPACE', path },
    })
    expect(refused).toBeGreaterThan(0)
  })

  test.each([null, 4_194_305])(
    'a data directory is locked and names its holder, or names %s as before',
    async (before) => {
      using disk = SmallDisk.mount(256)
      let lock: DataDirLock | undefined
      const refused = await onFullDisk(disk, {
        prepare: () => {
          lock?.release()
          if (before !== null) writeFileSync(disk.file('.howdah.pidfile'), String(before))
        },
        act: async () => {
          lock = await DataDirLock.acquire(disk.path)
        },
        look: () => DataDirLock.namedHolder(disk.path)?.pid ?? null,
        old: before,
        new: process.pid,
        refusal: { code: 'ERR_LOCK_NO_SPACE', path: disk.path },
        // The lock file is never removed, because two processes could then each lock a file of that name.
        mayChange: (path) => path === '.howdah.lock',
      })
      expect(refused).toBeGreaterThan(0)
      lock?.release()
    },
  )
})
