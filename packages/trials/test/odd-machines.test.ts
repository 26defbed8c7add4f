import { cloneCluster } from '@howdah/backup'
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isOpenToOthers, temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { Cluster } from '@howdah/cluster'
import { newest, somePostgres, Worker } from '@howdah/postgres-fixtures'
import { shippedPostgres } from './support/shipped-postgres.ts'

const isRoot = process.getuid?.() === 0
const checkoutIsOpen = isOpenToOthers(import.meta.url)

describe.runIf(isRoot)('a strict umask is no obstacle (needs root)', () => {
  it.each([0o077, 0o027])('%i: the first run works, and the second', async (umask) => {
    using home = temporaryDirectory()
    const before = process.umask(umask)
    try {
      const cluster = new Cluster(home.file('made', 'on', 'the', 'way'), {
        strategy: newest.strategy,
      })
      for (const _ of ['first', 'second']) {
        await using db = await cluster.run({ database: 'app' })
        expect(await db.databases()).toContain('app')
      }
      expect(statSync(home.file('made')).mode & 0o777).toBe(0o755 & ~umask)
      await cluster.destroy()
    } finally {
      process.umask(before)
    }
  })
})

/** The temporary directory stays where it is, also if that is in shared memory. */
const withoutSharedMemory = `set -e
cd '${tmpdir()}'
mount -t tmpfs -o mode=0755,size=64k none /dev/shm
[ -d '${tmpdir()}' ] || { mkdir -p '${tmpdir()}'; mount --no-canonicalize --bind . '${tmpdir()}'; }
exec "$@"`

describe.runIf(canMount())(
  'a machine decides about shared memory (needs a mount namespace)',
  () => {
    // The template that the last one brings says so, too.
    it.each([...somePostgres, ...shippedPostgres])(
      'what the template of $name says of another does not keep a server from starting',
      async ({ strategy, place }) => {
        using home = temporaryDirectory()
        // Warms the cache of templates if there is shared memory.
        await new Cluster(home.file('before'), { strategy }).create()
        const worker = new URL('../../postgres-fixtures/src/worker.mjs', import.meta.url).pathname
        const run = (action: string) => {
          const request = JSON.stringify({ action, dataDir: home.file('data'), postgres: place })
          const command = ['sh', '-c', withoutSharedMemory, 'sh', process.execPath, worker, request]
          const output = execFileSync('unshare', ['-m', ...command], { encoding: 'utf8' })
          return JSON.parse(output.trim().split('\n').at(-1) ?? '') as unknown
        }
        try {
          expect(run('start')).toEqual({ outcome: 'modified' })
          const server = await new Cluster(home.file('data'), { strategy }).server()
          const { text } = await server.settings.get('dynamic_shared_memory_type')
          expect(text).toBe('sysv')
        } finally {
          await new Cluster(home.file('data'), { strategy }).stop()
        }
        // Asks in single-user mode.
        expect(run('superusers')).toEqual({ outcome: ['root'] })
      },
    )
  },
)

const hasWrapper = ['/usr/lib', '/usr/lib64', '/lib'].some((directory) => {
  try {
    return readdirSync(directory, { withFileTypes: true }).some(({ name }) =>
      name === 'libnss_wrapper.so'
        ? true
        : /-linux-/.test(name) && readdirSync(join(directory, name)).includes('libnss_wrapper.so'),
    )
  } catch {
    return false
  }
})

describe.runIf(isRoot && checkoutIsOpen)(
  'a uid that the user database does not know (needs root, and an open checkout)',
  () => {
    const uid = 54_321
    const entry = `howdah:x:${uid}:${uid}::/:/bin/sh`
    const refused = {
      error: {
        code: 'ERR_CLUSTER_SERVER_USER',
        message: expect.stringContaining(
          `install nss_wrapper (Debian: libnss-wrapper), which howdah then uses, or let root give the user a name: echo '${entry}' >>/etc/passwd`,
        ),
      },
    }
    it.each(somePostgres)(
      '$name has a name lent by nss_wrapper, or else is refused with the cure',
      async (postgres) => {
        using home = temporaryDirectory()
        for (const name of ['', 'cache', 'state']) {
          mkdirSync(home.file('of', name), { recursive: true })
          chownSync(home.file('of', name), uid, uid)
          chmodSync(home.file('of', name), 0o700)
        }
        const env = {
          HOME: undefined,
          HOWDAH_CACHE_DIR: home.file('of', 'cache'),
          HOWDAH_STATE_DIR: home.file('of', 'state'),
        }
        const spawning = { uid, gid: uid, env }
        await using worker = new Worker('use', home.file('of', 'data'), postgres, {}, spawning)
        const answer = await worker.next()
        expect(answer).toMatchObject(hasWrapper ? { joined: 'modified' } : refused)
        await worker.leave()
        // Nothing of a lent name is left.
        expect(readdirSync(home.file('of'), { recursive: true })).not.toContain(
          'data/howdah.passwd',
        )
      },
    )

    it.runIf(hasWrapper).each(somePostgres)(
      'root makes a cluster of $name as that one, below directories that are closed to it (needs nss_wrapper)',
      async ({ strategy }) => {
        using home = temporaryDirectory({ mode: 0o700 })
        mkdirSync(home.file('data'))
        chownSync(home.file('data'), uid, uid)
        const cluster = new Cluster(home.file('data'), { strategy })
        {
          await using db = await cluster.run({ database: 'app' })
          expect(await db.databases()).toContain('app')
        }
        // In single-user mode, too.
        expect(await cluster.superusers()).toEqual(['root'])
        const copy = home.file('copy')
        await cloneCluster(cluster, { to: copy })
        await using db = await new Cluster(copy, { strategy }).run()
        expect(await db.databases()).toContain('app')
        expect(statSync(copy).uid).toBe(uid)
      },
    )

    it('runs a cluster that was made for a uid without a name', async () => {
      using home = temporaryDirectory()
      const cluster = new Cluster(home.file('data'), { strategy: newest.strategy, runAs: 'nobody' })
      await cluster.create()
      execFileSync('chown', ['-R', `${uid}:${uid}`, cluster.dataDir])
      await using db = await new Cluster(cluster.dataDir, { strategy: newest.strategy }).run()
      expect(await db.databases()).toContain('postgres')
      expect(statSync(cluster.pidFile).uid).toBe(uid)
    })
  },
)

function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'sh', '-c', withoutSharedMemory, 'sh', 'true'], {
      stdio: 'ignore',
    })
    return isRoot
  } catch {
    return false
  }
}
