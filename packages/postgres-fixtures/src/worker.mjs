// A process of a test's own. Its first argument is a JSON object: what to do, and on which data directory.
// Says what happens, a JSON object a line, on its standard output.
import { bundled, onPath } from '@howdah/runtime'
// By path: this package cannot depend on the packages whose tests depend on it.
import { Cluster, temporary } from '../../cluster/dist/index.js'

const { action, dataDir, postgres, options = {}, tells = false } = JSON.parse(process.argv[2])
const strategy =
  'package' in postgres ? bundled({ packages: [postgres.package] }) : onPath([postgres.bindir])
const cluster = new Cluster(dataDir, { strategy })
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)

if (tells) say({ begun: true })
try {
  say({ outcome: await actions()[action]() })
} catch (error) {
  say({ error: { code: error.code, message: error.message } })
  process.exitCode = 1
}

async function backups() {
  return await import('../../backup/dist/index.js')
}

function actions() {
  return {
    create: () => cluster.create(),
    start: () => cluster.start(options),
    stop: () => cluster.stop(options),
    destroy: () => cluster.destroy(options),
    backup: async () =>
      (await backups()).backUpCluster(cluster, {
        ...options,
        onProgress: ({ phase, bytes }) => say({ phase, bytes }),
      }),
    // Makes another cluster of the backups.
    restore: async () =>
      (await backups()).restoreCluster(new Cluster(options.to, { strategy }), {
        from: options.from,
      }),
    verify: async () => (await backups()).verifyBackups(options.from),
    // On a server that runs.
    saveSnapshot: async () => (await cluster.server(options)).snapshots.save('kept', options),
    restoreSnapshot: async () => (await cluster.server(options)).snapshots.restore('kept', options),
    branch: async () => new (await backups()).Branches(cluster).create(options.name),
    dropBranch: async () => new (await backups()).Branches(cluster).drop(options.name),
    superusers: () => cluster.superusers(),
    status: async () => (await cluster.status()).state,
    // Has a temporary cluster of its own until its standard input ends.
    async temporary() {
      const session = await temporary({ strategy, ...options })
      say({ dataDir: session.dataDir })
      for await (const _ of process.stdin);
      return session.leave()
    },
    // Joins, connects, and stays until its standard input ends; a connection that is lost meanwhile is told.
    async use() {
      const session = await cluster.run(options)
      const client = await session.connect()
      client.on('end', () => say({ lost: true }))
      say({ joined: session.started, url: session.url() })
      for await (const _ of process.stdin) await client.query('SELECT 1')
      client.removeAllListeners('end')
      await client.end()
      return session.leave()
    },
  }
}
