// Where the benchmark writes: a directory in memory, and one on a disk.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Cluster } from '@howdah/cluster'
import { bundled } from '@howdah/runtime'

const checkout = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Makes the directories, and says where howdah keeps its state. `HOWDAH_BENCH_DIR` says on which disk;
 * otherwise it is the one of the temporary directory, the home directory and this checkout in which it takes least to make a file.
 */
export function makePlace() {
  const chosen = process.env.HOWDAH_BENCH_DIR
  const disks = (chosen ? [chosen] : [tmpdir(), homedir(), checkout])
    .map((above) => realpathSync(above))
    .filter(isOpen)
    .map((above) => directoryIn(above))
    .map((directory) => ({ directory, file: fileTime(directory) }))
    .toSorted((one, other) => one.file - other.file)
  const [disk, ...others] = disks
  for (const { directory } of others) rmSync(directory, { recursive: true })
  const memory = existsSync('/dev/shm') ? directoryIn('/dev/shm') : null
  process.env.HOWDAH_STATE_DIR = inside(disk.directory, 'state', 0o700)
  process.env.HOWDAH_CACHE_DIR = inside(disk.directory, 'cache')
  return {
    disk: disk.directory,
    /** How long it takes to make a file there, in ms. */
    fileTime: disk.file,
    memory,
    fast: memory ?? disk.directory,
    remove() {
      for (const one of [disk.directory, memory])
        if (one !== null) rmSync(one, { recursive: true, force: true })
    },
  }
}

/** The PostgreSQL that comes with the command, and a stopped cluster of it, which is the template of the bare ways. */
export async function makeTemplate({ disk }) {
  const strategy = bundled({ from: import.meta.url })
  const cluster = new Cluster(join(disk, 'made'), { strategy })
  await cluster.create()
  const { bindir, version } = await cluster.runtime()
  const { uid, gid } = statSync(cluster.dataDir)
  const owner = { uid, gid }
  const asServer = process.getuid() === 0 ? owner : {}
  return { strategy, cluster, bindir, version, owner, asServer, template: cluster.dataDir }
}

let last = 0

/**
 * A new directory for one round. On ext4 it is in a group of blocks of its own: ext4 looks for a free inode in the group of the
 * directory, and passes over all that were freed in the last minutes, one after the other. So a file takes ten times as long beside
 * thousands that were removed.
 */
export function roundIn(directory) {
  const above = join(directory, 'rounds')
  if (!existsSync(above)) {
    inside(directory, 'rounds')
    // As the directories in the root: see "T" in chattr(1). Other file systems, and systems without chattr, do without.
    spawnSync('chattr', ['+T', above], { stdio: 'ignore' })
  }
  last += 1
  return inside(above, String(last))
}

export function inside(directory, name, mode = 0o755) {
  mkdirSync(join(directory, name), { mode })
  return join(directory, name)
}

function directoryIn(above) {
  const directory = mkdtempSync(join(above, 'howdah-floor-'))
  chmodSync(directory, 0o755)
  return directory
}

/** Whether the user of the server, if we are root, can enter it. */
function isOpen(directory) {
  if (process.getuid() !== 0) return true
  for (let at = directory; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}

function fileTime(directory) {
  const count = 100
  const tried = inside(directory, 'files')
  const began = performance.now()
  for (let n = 0; n < count; n += 1) closeSync(openSync(join(tried, String(n)), 'wx', 0o600))
  const time = (performance.now() - began) / count
  rmSync(tried, { recursive: true })
  return time
}
