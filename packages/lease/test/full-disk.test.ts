import { SmallDisk, onFullDisk } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { createFileLeaser, type Lease } from '../src/index.ts'

const whyNot = SmallDisk.whyNot()

describe.skipIf(whyNot !== null)(`on a full disk (${whyNot ?? 'mounted for this test'})`, () => {
  /** Some pages of it. */
  const owner = 'me'.repeat(10_000)
  const open = (disk: SmallDisk) =>
    createFileLeaser({ dir: disk.path, owner, clockSkew: 0, maxTtl: 60_000, ttl: 60_000 })
  const generationOf = async (disk: SmallDisk) => (await open(disk).inspect())?.generation ?? 0n

  test.each([0n, 1n])(
    'a lease is acquired, or as free as before (generation %s)',
    async (before) => {
      using disk = SmallDisk.mount(256)
      const refused = await onFullDisk(disk, {
        prepare: async () => {
          if (before === 1n) await open(disk).release(await open(disk).acquire())
        },
        act: () => open(disk).acquire(),
        look: () => generationOf(disk),
        old: before,
        new: before + 1n,
        refusal: { code: 'ERR_LEASE_STORE', path: disk.file('lock.json') },
      })
      expect(refused).toBeGreaterThanOrEqual(5)
    },
  )

  test('a lease that cannot be renewed is held as long as before', async () => {
    using disk = SmallDisk.mount(256)
    let lease: Lease | undefined
    const refused = await onFullDisk(disk, {
      prepare: async () => {
        lease = await open(disk).acquire({ ttl: 50_000 })
      },
      act: async () => {
        if (lease !== undefined) await open(disk).renew(lease)
      },
      look: async () =>
        (await open(disk).inspect())?.expiresAt.getTime() === lease?.expiresAt.getTime(),
      old: true,
      new: false,
      refusal: { code: 'ERR_LEASE_STORE', path: disk.file('lock.json') },
    })
    expect(refused).toBeGreaterThan(0)
  })
})
