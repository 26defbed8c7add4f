import { cloneCluster, backUpCluster, restoreCluster } from '@howdah/backup'
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, renameSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Cluster } from '@howdah/cluster'
import { newest } from '@howdah/postgres-fixtures'

/** A way to get from one directory to another, and what the other one is then. */
export interface KindOfCopy {
  readonly name: string
  /** A cluster of its own, the same cluster by another path, or files that two directories share. */
  readonly is: 'its own' | 'the same' | 'refused'
  /** Makes `to` of `from`: two paths in a project directory each, which are there; `to` itself is not. */
  readonly make: (from: string, to: string) => Promise<void> | void
  /** What has to be done to the original before it is used. */
  readonly prepare?: (from: string) => Promise<void>
  /** Why it cannot be tried here, or `null`. */
  readonly whyNot?: string | null
}

const run = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: 'ignore' })
/** With the two paths as `$1` and `$2`. */
const sh = (script: string) => (from: string, to: string) => {
  run('sh', '-ec', script, 'sh', from, to)
}
const isRoot = process.geteuid?.() === 0

/** Two dozen kinds of copy, as people make them. */
export const kindsOfCopy: readonly KindOfCopy[] = [
  { name: 'cp -a', is: 'its own', make: sh('cp -a "$1" "$2"') },
  {
    name: 'cp -r, with new times',
    is: 'its own',
    make: sh('cp -r --preserve=mode,ownership "$1" "$2"'),
  },
  { name: 'cp -aL', is: 'its own', make: sh('cp -aL "$1" "$2"') },
  {
    name: 'cp -a of its project',
    is: 'its own',
    make: sh('rmdir "${2%/*}"; cp -a "${1%/*}" "${2%/*}"'),
  },
  {
    name: 'cp -a of a copy',
    is: 'its own',
    make: sh('cp -a "$1" "$2.first"; cp -a "$2.first" "$2"'),
  },
  {
    name: 'tar',
    is: 'its own',
    make: sh('mkdir "$2"; tar -C "$1" -cf - . | tar -C "$2" -xpf -; chmod 700 "$2"'),
  },
  { name: 'cp of Node', is: 'its own', make: copyByNode },
  { name: 'cp -a to another file system', is: 'its own', make: viaAnotherDisk },
  { name: 'cp -a over another cluster', is: 'its own', make: overAnother },
  { name: 'only what tells of its server', is: 'its own', make: filesOfItsServer },
  {
    name: 'cp -a, after which the two change names and back',
    is: 'its own',
    make: sh(
      'cp -a "$1" "$2"; mv "$1" "$1.t"; mv "$2" "$1"; mv "$1.t" "$2"; mv "$1" "$1.t"; mv "$2" "$1"; mv "$1.t" "$2"',
    ),
  },
  { name: 'howdah backup and restore', is: 'its own', prepare: archived, make: restored },
  {
    name: 'howdah clone',
    is: 'its own',
    make: async (from, to) => void (await cloneCluster(clusterIn(from), { to })),
  },
  { name: 'cp -al', is: 'refused', make: sh('cp -al "$1" "$2"') },
  { name: 'a link to it', is: 'the same', make: (from, to) => symlinkSync(from, to) },
  {
    name: 'a relative link to it',
    is: 'the same',
    make: sh('ln -s "../$(basename "$(dirname "$1")")/data" "$2"'),
  },
  {
    name: 'a link to a link to it',
    is: 'the same',
    make: sh('ln -s "$1" "$2.first"; ln -s "$2.first" "$2"'),
  },
  {
    name: 'a link to its project',
    is: 'the same',
    make: sh('rmdir "${2%/*}"; ln -s "${1%/*}" "${2%/*}"'),
  },
  { name: 'mv', is: 'the same', make: (from, to) => renameSync(from, to) },
  {
    name: 'mv of its project',
    is: 'the same',
    make: sh('rmdir "${2%/*}"; mv "${1%/*}" "${2%/*}"'),
  },
  {
    name: 'mv, and a link from where it was',
    is: 'the same',
    make: sh('mv "$1" "$2"; ln -s "$2" "$1"'),
  },
  { name: 'mv, and another one where it was', is: 'the same', make: replaced },
  {
    name: 'a bind mount of it',
    is: 'the same',
    make: sh('mkdir "$2"; mount --bind "$1" "$2"'),
    whyNot: isRoot ? null : 'only root mounts',
  },
  {
    name: 'a bind mount of its project',
    is: 'the same',
    make: sh('mount --bind "${1%/*}" "${2%/*}"'),
    whyNot: isRoot ? null : 'only root mounts',
  },
]

function clusterIn(path: string): Cluster {
  return new Cluster(path, { strategy: newest.strategy })
}

function copyByNode(from: string, to: string): void {
  cpSync(from, to, {
    recursive: true,
    preserveTimestamps: true,
    filter: (path) => !path.includes('.s.PGSQL'),
  })
  // It keeps neither owner nor mode of a directory.
  run('chown', '-R', `--reference=${from}`, to)
  run('chmod', '700', to)
}

/** By way of another file system, as from one volume to another. */
function viaAnotherDisk(from: string, to: string): void {
  const { dev } = statSync(from)
  const places = ['/dev/shm', process.env['HOWDAH_TEST_SYSTEM_TMPDIR'] ?? '/tmp', '/var/tmp']
  const place = places.find((path) => statSync(path).dev !== dev)
  if (place === undefined) throw new Error(`${places.join(', ')}: all are on the disk of ${from}`)
  sh(`cp -a "$1" "${place}/howdah.$$"; mv "${place}/howdah.$$" "$2"`)(from, to)
}

async function overAnother(from: string, to: string): Promise<void> {
  await clusterIn(to).create()
  sh('rm -rf "$2"/base/* "$2"/pg_wal/*; cp -aT "$1" "$2"')(from, to)
}

async function filesOfItsServer(from: string, to: string): Promise<void> {
  await clusterIn(to).create()
  for (const name of ['postmaster.pid', 'howdah.run', '.s.PGSQL.1.lock', 'postmaster.opts']) {
    try {
      copyFileSync(join(from, name), join(to, name))
      run('chown', `--reference=${to}`, join(to, name))
    } catch {
      // Not there while it is stopped.
    }
  }
}

/** The first backup restarts the server, so that nobody may use it. */
async function archived(from: string): Promise<void> {
  await clusterIn(from).create()
  await backUpCluster(clusterIn(from), { into: `${from}.backups` })
}

async function restored(from: string, to: string): Promise<void> {
  await backUpCluster(clusterIn(from), { into: `${from}.backups` })
  await restoreCluster(clusterIn(to), { from: `${from}.backups` })
}

async function replaced(from: string, to: string): Promise<void> {
  renameSync(from, to)
  mkdirSync(from, { recursive: true })
  await clusterIn(from).create()
}
