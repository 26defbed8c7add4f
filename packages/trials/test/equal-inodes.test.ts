import { execFileSync, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Cluster } from '@howdah/cluster'
import { SmallDisk, until } from '@howdah/fixtures'
import { isLeft, newest, postmastersOf } from '@howdah/postgres-fixtures'
import { describe, expect, it, onTestFinished, vi } from 'vitest'

const { strategy, place } = newest
const attempt = fileURLToPath(new URL('support/attempt.mjs', import.meta.url))
/** What root may in a container by default: not look into other users' processes. */
const capabilities = '-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap'
const contained = ['setpriv', '--bounding-set', capabilities, '--inh-caps', '-all']
const why =
  SmallDisk.whyNot() ??
  (spawnSync('setpriv', ['true']).status === 0 ? null : 'there is no setpriv(1)')
if (why !== null) console.log(`tests of equal inode numbers are skipped: ${why}`)

describe.skipIf(why !== null)('two directories with one inode number, on two file systems', () => {
  it.each([
    ['the first', 'root of the machine', []],
    ['the second', 'root of a container', contained],
  ])(
    'are not taken for each other: %s is served, the pid file of the other names nobody, and %s asks',
    async (which, _, within) => {
      using one = SmallDisk.mount(400_000)
      using other = SmallDisk.mount(400_000)
      const clusters = await clustersOn(one, other)
      const [served, nameless] = which === 'the first' ? clusters : clusters.toReversed()
      if (served === undefined || nameless === undefined) throw new Error('there are two')
      try {
        await served.start()
        const { dev, ino } = statSync(nameless.dataDir)
        expect(statSync(served.dataDir).ino).toBe(ino)
        expect(statSync(served.dataDir).dev).not.toBe(dev)
        expect(isOwnKey(keyOf(served), ino)).toBe(true)
        expect(run('status', nameless, within)).toMatchObject({ done: true })
        writeFileSync(`${nameless.dataDir}/postmaster.pid`, '')
        expect(run('status', nameless, within)).toMatchObject({ done: true })
        expect(run('start', nameless, within)).toMatchObject({ done: true })
        // A server takes the next key if its own is taken: now each may be either's.
        expect(keyOf(nameless)).not.toBe(keyOf(served))
        expect(isOwnKey(keyOf(nameless), ino)).toBe(true)
        await served.stop()
        writeFileSync(`${served.dataDir}/postmaster.pid`, '')
        expect(run('start', served, within)).toMatchObject({ done: true })
        expect(await served.running()).toBe(true)
        // The one that runs is known by where it works.
        const file = readFileSync(`${nameless.dataDir}/postmaster.pid`, 'utf8')
        writeFileSync(`${nameless.dataDir}/postmaster.pid`, '')
        const refused = { code: 'ERR_CLUSTER_UNKNOWN_STATUS' }
        expect(run('stop', nameless, within)).toMatchObject(refused)
        writeFileSync(`${nameless.dataDir}/postmaster.pid`, file)
      } finally {
        for (const cluster of clusters) await cluster.stop()
      }
    },
  )

  it('leave no segment: one server has the first key, the other one is killed with the second key and starts with the first', async () => {
    using one = SmallDisk.mount(400_000)
    using other = SmallDisk.mount(400_000)
    // Other tests' commands free the shared memory of killed servers, if they know the clusters.
    vi.stubEnv('HOWDAH_STATE_DIR', one.file('state'))
    onTestFinished(() => void vi.unstubAllEnvs())
    const [holder, killed] = await clustersOn(one, other)
    try {
      await holder.start()
      await killed.start()
      const held = postmastersOf([killed.dataDir])
      const isSegmentLeft = () => held.map(({ segment }) => isLeft({ segment, files: [] }))
      for (const { pid } of held) process.kill(pid, 'SIGKILL')
      await until('the server is gone', async () => !(await killed.running()))
      expect(isSegmentLeft()).toEqual([true])
      await holder.stop()
      await killed.start()
      expect(isSegmentLeft()).toEqual([false])
    } finally {
      for (const cluster of [holder, killed]) await cluster.stop()
    }
  })
})

/** Two clusters whose data directories have one inode number. */
async function clustersOn(...disks: [SmallDisk, SmallDisk]): Promise<[Cluster, Cluster]> {
  // The first inode numbers of a disk are those of other tests' servers, too, which may not be seen from here.
  const taken = randomInt(100, 5000)
  for (const disk of disks) for (let n = 0; n < taken; n += 1) writeFileSync(disk.file(`${n}`), '')
  const clusters = disks.map((disk) => new Cluster(disk.file('data'), { strategy }))
  for (const cluster of clusters) await cluster.create()
  return clusters as [Cluster, Cluster]
}

function keyOf({ dataDir }: Cluster): number {
  const line = readFileSync(`${dataDir}/postmaster.pid`, 'utf8').split('\n')[6] ?? ''
  return Number(line.trim().split(/\s+/)[0])
}

/** Whether a server took the first key that was free from its inode number on. */
function isOwnKey(key: number, ino: number): boolean {
  return key >= ino && key < ino + 16
}

/** Has another process, maybe with fewer privileges, do something to a cluster. */
function run(operation: string, { dataDir }: Cluster, within: string[]): unknown {
  const request = JSON.stringify({ operation, dataDir, postgres: place, options: {} })
  const [command, ...args] = [...within, process.execPath, attempt, request]
  return JSON.parse(execFileSync(command, args, { encoding: 'utf8' }))
}
