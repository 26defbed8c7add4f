import { cloneCluster, backUpCluster } from '@howdah/backup'
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { chown, mkdir, rm } from 'node:fs/promises'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { Cluster } from '@howdah/cluster'
import { HeldDirectory, removeTree } from '@howdah/data-directory'
import { newest } from '@howdah/postgres-fixtures'
import { startSwapper, whyNoSwapper } from './support/swapper.ts'

const { strategy } = newest
const why = whyNoSwapper()
const nobody = { uid: 65534, gid: 65534 }

/** A directory of another user's, and one of root's that this user would like to have or to be emptied. */
function arena(home: TemporaryDirectory): { own: string; victim: string } {
  const [own, victim] = [home.file('own'), home.file('victim')]
  mkdirSync(own)
  chownSync(own, nobody.uid, nobody.gid)
  mkdirSync(victim)
  return { own, victim }
}

/** Removes a name, whichever of the two is there now, without going through a link. */
function clear(path: string): void {
  for (;;) {
    try {
      const found = lstatSync(path, { throwIfNoEntry: false })
      if (found === undefined) return
      if (found.isDirectory()) rmdirSync(path)
      else unlinkSync(path)
    } catch {
      // They were exchanged in between.
    }
  }
}

describe.skipIf(why !== null)(
  `a neighbour who owns the directory above (${why ?? 'two users'})`,
  () => {
    /** How many directories root makes until the neighbour has the victim; at most `rounds`. */
    async function makings(rounds: number, make: (path: string) => Promise<void>): Promise<number> {
      using home = temporaryDirectory()
      const { own, victim } = arena(home)
      await using _ = await startSwapper(nobody.uid, own, 'made', 'trap')
      for (let round = 1; round <= rounds; round += 1) {
        for (const name of ['made', 'trap']) clear(`${own}/${name}`)
        symlinkSync(victim, `${own}/trap`)
        await make(`${own}/made`).catch(() => undefined)
        if (statSync(victim).uid === nobody.uid) return round
      }
      return Infinity
    }

    it('gets the files that root makes there, and never files elsewhere', async () => {
      // The control: by paths, it takes a few rounds.
      const byPath = await makings(20_000, async (path) => {
        await mkdir(path, 0o700)
        await chown(path, nobody.uid, nobody.gid)
      })
      expect(byPath).toBeLessThan(Infinity)
      const byDescriptor = await makings(Math.min(2000, 20 * byPath + 200), async (path) => {
        HeldDirectory.make(path, nobody)[Symbol.dispose]()
      })
      expect(byDescriptor).toBe(Infinity)
    })

    /** How many trees root removes until a file of the victim's is gone; at most `rounds`. */
    async function removals(
      rounds: number,
      remove: (path: string) => Promise<void>,
    ): Promise<number> {
      using home = temporaryDirectory()
      const { own, victim } = arena(home)
      const names = Array.from({ length: 40 }, (_, index) => `file-${index}`)
      for (const name of names) writeFileSync(`${victim}/${name}`, 'precious')
      await using _ = await startSwapper(nobody.uid, own, 'tree/inner', 'trap')
      for (let round = 1; round <= rounds; round += 1) {
        const [tree, trap] = [`${own}/tree`, `${own}/trap`]
        await removeTree(tree).catch(() => undefined)
        await removeTree(trap)
        mkdirSync(`${tree}/inner`, { recursive: true })
        for (const path of [tree, `${tree}/inner`]) chownSync(path, nobody.uid, nobody.gid)
        for (const name of names) writeFileSync(`${tree}/inner/${name}`, '')
        symlinkSync(victim, trap)
        await remove(tree).catch(() => undefined)
        if (readdirSync(victim).length < names.length) return round
      }
      return Infinity
    }

    it('cannot make root remove files elsewhere', async () => {
      // The control: Node's rm goes by paths.
      const byPath = await removals(2000, async (path) => await rm(path, { recursive: true }))
      expect(byPath).toBeLessThan(Infinity)
      expect(await removals(Math.min(400, 20 * byPath + 50), removeTree)).toBe(Infinity)
    })

    it.each([
      ['the data directory', 'data'],
      ['what a cluster is made in', 'data/*'],
    ])(
      'gets and destroys nothing elsewhere by exchanging %s while root makes clusters',
      async (_, name) => {
        using home = temporaryDirectory()
        const { own, victim } = arena(home)
        const cluster = new Cluster(`${own}/data`, { strategy, runAs: 'nobody' })
        for (let round = 0; round < 2; round += 1) {
          await removeTree(`${own}/data`)
          await removeTree(`${own}/trap`)
          symlinkSync(victim, `${own}/trap`)
          await using swapper = await startSwapper(nobody.uid, own, name, 'trap')
          expect(swapper).toBeDefined()
          await cluster.create({ waitTimeout: 1000 }).catch(() => undefined)
          await cluster.destroy({ waitTimeout: 1000 }).catch(() => undefined)
          expect(statSync(victim).uid).toBe(0)
          expect(readdirSync(victim)).toEqual([])
        }
      },
    )

    it('cannot have files copied that only root can read, by a link in its own cluster', async () => {
      using home = temporaryDirectory()
      writeFileSync(home.file('secret'), 'only root reads this', { mode: 0o600 })
      const cluster = new Cluster(home.file('data'), { strategy, runAs: 'nobody' })
      await cluster.create()
      // Without it, the cluster is copied.
      await (await cloneCluster(cluster, { to: home.file('first') })).destroy()
      symlinkSync(home.file('secret'), `${cluster.dataDir}/base/1/99999`)
      await expect(cloneCluster(cluster, { to: home.file('second') })).rejects.toMatchObject({
        code: 'ERR_CLUSTER_PERMISSION',
        message: expect.stringContaining('belongs to another user (uid 0)'),
      })
      expect(existsSync(home.file('second', 'base'))).toBe(false)
    })

    it('is given no archive that holds anything', async () => {
      using home = temporaryDirectory()
      const cluster = new Cluster(home.file('data'), { strategy, runAs: 'nobody' })
      await cluster.create()
      const wal = home.file('backups', 'wal')
      mkdirSync(wal, { recursive: true })
      writeFileSync(`${wal}/precious`, '')
      const backUp = async () => await backUpCluster(cluster, { into: home.file('backups') })
      await expect(backUp()).rejects.toThrow('belongs to another user (uid 0) than the server')
      expect(statSync(wal).uid).toBe(0)
      // The control: an empty one is given.
      unlinkSync(`${wal}/precious`)
      await backUp()
      expect(statSync(wal).uid).toBe(nobody.uid)
    })

    it('cannot open the lock of backups, and so cannot hold it', async () => {
      using home = temporaryDirectory()
      const cluster = new Cluster(home.file('data'), { strategy, runAs: 'nobody' })
      await cluster.create()
      await backUpCluster(cluster, { into: home.file('backups') })
      expect(statSync(home.file('backups', 'howdah-backups.lock')).mode & 0o777).toBe(0o600)
    })
  },
)
