import { backUpCluster, restoreCluster } from '@howdah/backup'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { SmallDisk, onFullDisk, temporaryDirectory } from '@howdah/fixtures'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Cluster, TemplateCache } from '@howdah/cluster'
import { newest } from '@howdah/postgres-fixtures'

const whyNot = SmallDisk.whyNot()
/** In pages of 4 kB: a restore takes some 60 MB, and each try a second. */
const step = 2500

afterEach(() => vi.unstubAllEnvs())

describe.skipIf(whyNot !== null)(`on a full disk (${whyNot ?? 'mounted for this test'})`, () => {
  it('a template is stored completely or not at all', async () => {
    using disk = SmallDisk.mount(512)
    using home = temporaryDirectory()
    chmodSync(disk.path, 0o700)
    // Of another machine, so that it is never stale.
    const key = { name: 'key', about: { bindir: '/', machine: 'another' } }
    mkdirSync(home.file('made', 'base'), { recursive: true })
    for (const name of ['a', 'b', 'c']) {
      writeFileSync(home.file('made', 'base', name), name.repeat(5_000))
    }
    vi.stubEnv('HOWDAH_CACHE_DIR', disk.path)
    const refused = await onFullDisk(disk, {
      prepare: () => undefined,
      act: async () =>
        await (await TemplateCache.open()).keep(key, home.file('made'), process.geteuid?.()),
      look: async () => (await TemplateCache.existing())?.has(key.name) ?? false,
      old: false,
      new: true,
      refusal: { code: 'ERR_CLUSTER_DISK_FULL', path: disk.path },
    })
    expect(refused).toBeGreaterThan(3)
  })

  it('a creation without room for its marker leaves nothing', async () => {
    using disk = SmallDisk.mount(512)
    disk.leave(0)
    const cluster = new Cluster(disk.file('data'), { strategy: newest.strategy })
    await expect(cluster.create()).rejects.toMatchObject({ code: 'ERR_CLUSTER_DISK_FULL' })
    expect(readdirSync(cluster.dataDir)).toEqual([])
  })

  it('a cluster is restored completely or not at all', async () => {
    using disk = SmallDisk.mount(300 * 1024)
    using home = temporaryDirectory()
    const { strategy } = newest
    const original = new Cluster(home.file('data'), { strategy })
    await original.create()
    await backUpCluster(original, { into: home.file('backups') })
    const restored = new Cluster(disk.file('data'), { strategy })
    const refused = await onFullDisk(disk, {
      prepare: () => undefined,
      act: async () => await restoreCluster(restored, { from: home.file('backups') }),
      look: async () => await restored.exists(),
      old: false,
      new: true,
      refusal: { code: 'ERR_CLUSTER_DISK_FULL', path: disk.path },
      step,
    })
    expect(refused).toBeGreaterThan(1)
  }, 300_000)
})
