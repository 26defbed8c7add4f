import { backUpCluster, BackupDirectory } from '@howdah/backup'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { linuxOnly, temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { Cluster } from '@howdah/cluster'
import { newest } from '@howdah/postgres-fixtures'

const { strategy } = newest
const isRoot = process.geteuid?.() === 0

/** Moves a directory, and puts a link to another one in its place. */
function swap(path: string, victim: string): string {
  const moved = `${path}.moved`
  renameSync(path, moved)
  symlinkSync(victim, path)
  return moved
}

describe(
  'a directory of backups that is replaced by another',
  linuxOnly('/proc/self/fd, by which an open directory is reached'),
  () => {
    it('still gets its backup, and the other gets nothing', async () => {
      using home = temporaryDirectory()
      const [backups, victim] = [home.file('backups'), home.file('victim')]
      mkdirSync(victim, { mode: 0o711 })
      // The server goes on archiving by the path.
      symlinkSync(`${backups}.moved/wal`, `${victim}/wal`)
      const cluster = new Cluster(home.file('data'), { strategy })
      await cluster.create()
      await backUpCluster(cluster, { into: backups })
      let moved = ''
      const onProgress = ({ phase }: { phase: string }) => {
        if (phase === 'finishing') moved = swap(backups, victim)
      }
      await backUpCluster(cluster, { into: backups, keep: 1, onProgress })
      expect(readdirSync(victim)).toEqual(['wal'])
      expect(readdirSync(moved).filter((name) => name.startsWith('data.'))).toEqual([
        'data.0000000002',
      ])
      expect(existsSync(`${moved}/data.0000000002/howdah.backup`)).toBe(true)
    })

    it('loses no files that it shares with the other', async () => {
      using home = temporaryDirectory()
      const [backups, victim] = [home.file('backups'), home.file('victim')]
      using open = await new BackupDirectory(backups).open('/data', 7n, null, {})
      for (const path of [`${victim}/data.0000000001`, `${victim}/making.0123456789ab`]) {
        mkdirSync(path, { recursive: true })
        writeFileSync(`${path}/precious`, '')
      }
      mkdirSync(`${backups}/data.0000000001`)
      const moved = swap(backups, victim)
      await open.directory.sweep()
      await open.directory.remove(1)
      expect(existsSync(`${moved}/data.0000000001`)).toBe(false)
      expect(existsSync(`${victim}/data.0000000001/precious`)).toBe(true)
      expect(existsSync(`${victim}/making.0123456789ab/precious`)).toBe(true)
    })

    it.runIf(isRoot)('gives away an archive that belongs to root only if it is empty', async () => {
      using home = temporaryDirectory()
      const backups = home.file('backups')
      const user = { uid: 65534, gid: 65534, name: 'nobody', closed: null, notice: null }
      const open = async () => {
        using opened = await new BackupDirectory(backups).open('/data', 7n, user, {})
        return statSync(opened.directory.wal).uid
      }
      expect(await open()).toBe(65534)
      renameSync(`${backups}/wal`, `${backups}.wal`)
      mkdirSync(`${backups}/wal`)
      writeFileSync(`${backups}/wal/precious`, '')
      await expect(open()).rejects.toMatchObject({
        code: 'ERR_CLUSTER_BACKUP_DIRECTORY',
        message: expect.stringContaining('/wal belongs to another user (uid 0)'),
      })
      expect(statSync(`${backups}/wal`).uid).toBe(0)
    })
  },
)
