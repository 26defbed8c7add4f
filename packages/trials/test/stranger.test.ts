import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { backUpCluster } from '@howdah/backup'
import { Cluster } from '@howdah/cluster'
import { Child, isOpenToOthers, temporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { Client } from 'pg'
import { afterEach, describe, expect, it, vi } from 'vitest'

const { strategy } = newest
const nobody = 65_534
const why = whyNoStranger()

const umask = process.umask()
afterEach(() => {
  process.umask(umask)
  vi.unstubAllEnvs()
})

describe.skipIf(why !== null)(`another user of this machine (${why ?? 'nobody'})`, () => {
  it('can open nothing of a cluster, its backups and the state, from the instant in which it is made', async () => {
    using home = temporaryDirectory()
    // What is made without a mode of its own is open to all.
    process.umask(0)
    writeFileSync(home.file('control'), 'whatever is open is found')
    vi.stubEnv('HOWDAH_STATE_DIR', home.file('state'))
    await using stranger = new Child(new URL('support/stranger.mjs', import.meta.url), [
      nobody,
      home.path,
    ])
    const look = async () => {
      stranger.tell('look')
      expect(await stranger.line()).toBe('looked')
    }
    await look()

    const cluster = new Cluster(home.file('data'), { strategy, runAs: 'daemon' })
    const session = await cluster.run({ tcp: true, database: 'app' })
    await look()
    await session.leave()
    await backUpCluster(cluster, { into: home.file('backups') })
    await look()
    await cluster.destroy()

    stranger.process.stdin?.end()
    expect(JSON.parse(await stranger.line())).toEqual({
      names: expect.arrayContaining(['data', 'state', 'backups']),
      // The server reaches its archive through the directory of backups, as the user that it runs as.
      opened: ['control for reading', 'control for writing', 'backups for entering'],
    })
  })

  it('connects neither by the socket nor over TCP', async () => {
    using home = temporaryDirectory()
    process.umask(0)
    const cluster = new Cluster(home.file('data'), { strategy, runAs: 'daemon' })
    await using session = await cluster.run({ tcp: true, atEnd: 'destroy' })

    const { username: user, password, port } = new URL(session.url())
    const over = { host: '127.0.0.1', port: Number(port), user, database: 'postgres' }
    await expect(comeIn({ ...over, password: 'guessed' })).rejects.toMatchObject({ code: '28P01' })
    await expect(comeIn({ ...over, password })).resolves.toBeUndefined()

    const socket = readdirSync(cluster.dataDir).find((name) => /^\.s\.PGSQL\.\d+$/.test(name))
    const path = `${cluster.dataDir}/${socket}`
    expect(connectionOf(0, path)).toBe('connected')
    expect(connectionOf(nobody, path)).toBe('EACCES')
  })
})

async function comeIn(options: ConstructorParameters<typeof Client>[0]): Promise<void> {
  const client = new Client(options)
  try {
    await client.connect()
  } finally {
    await client.end()
  }
}

/** How a user's connection to a socket ends. */
function connectionOf(uid: number, path: string): string {
  const script = `
    process.setgroups([]); process.setgid(${uid}); process.setuid(${uid})
    require('node:net').connect(process.argv[1])
      .on('connect', () => { console.log('connected'); process.exit() })
      .on('error', ({ code }) => console.log(code))`
  const { stdout } = spawnSync(process.execPath, ['-e', script, path], { encoding: 'utf8' })
  return stdout.trim()
}

/** Why nobody can be a stranger here; `null` if somebody can. */
function whyNoStranger(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux'
  using home = temporaryDirectory()
  return isOpenToOthers(pathToFileURL(home.path))
    ? null
    : 'needs a temporary directory that other users can reach'
}
