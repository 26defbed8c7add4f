// Runs in an empty project that has installed every package: does something with each of them.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { verifyBackups } from '@howdah/backup'
import { main, processIo } from '@howdah/cli'
import { clusters, temporary } from '@howdah/cluster'
import { bashCompletion } from '@howdah/completion'
import { Free } from '@howdah/coordinate'
import { DataDirectory, readVersion } from '@howdah/data-directory'
import { diagnose } from '@howdah/doctor'
import { registeredServers } from '@howdah/known-clusters'
import { createFileLeaser, runWithLease } from '@howdah/lease'
import { acquire, lockedFile, tryAcquire } from '@howdah/lock'
import lockfile, { check } from '@howdah/lock/proper-lockfile'
import { LockManager } from '@howdah/lock/web-locks'
import { encodeLtx, verifyLtx } from '@howdah/ltx'
import { findProject } from '@howdah/project'
import { runShell } from '@howdah/prompt'
import { runOptionsOf } from '@howdah/provision'
import { Registry, write } from '@howdah/registry'
import { FileReplica } from '@howdah/replica'
import { defaultStrategy } from '@howdah/runtime'
import { isOfHowdah } from '@howdah/snapshot'
import { LockedDocument, Store } from '@howdah/store'
import { statusOfSignal } from '@howdah/terminal'
import { testDatabases } from '@howdah/testing'
import { parseLsn } from '@howdah/wal'

const withoutPostgres = process.argv.includes('--without-postgres')
const home = mkdtempSync(join(tmpdir(), 'howdah-use-'))
const file = (name) => join(home, name)

const uses = {
  lock: async () => {
    const lock = await acquire(file('lock'))
    assert.equal(await tryAcquire(file('lock')), null)
    lock.release()
    assert.equal(await lockedFile.transform(file('counter'), () => '1'), '1')
    const release = await lockfile(file('counter'))
    assert.equal(await check(file('counter')), true)
    await release()
    const locks = new LockManager(file('locks'))
    assert.equal(await locks.request('name', (one) => one.mode), 'exclusive')
  },
  store: async () => {
    const store = new Store(file('store'))
    const segment = await store.segment(1)
    const entry = await segment.save({ port: 5432 })
    assert.equal((await entry.load()).state.port, 5432)
    const document = new LockedDocument(file('document.json'), { empty: () => ({ runs: 0 }) })
    await document.update((content) => {
      content.runs += 1
    })
    assert.deepEqual(await document.read(), { runs: 1 })
  },
  registry: async () => {
    const registry = new Registry({ path: file('registry.json') })
    const guard = await registry.register('us', { allow: [write(home)] })
    assert.equal((await registry.ownerOf(file('data')))?.name, 'us')
    await guard.release()
  },
  project: () => assert.equal(findProject(home).kind, 'directory'),
  provision: () => {
    const asked = { path: file('howdah.json'), settings: { linger: 2 } }
    assert.deepEqual(runOptionsOf(asked, { sharesPorts: false }), { linger: 2000 })
  },
  prompt: () => assert.equal(typeof runShell, 'function'),
  completion: () => assert.equal(typeof bashCompletion, 'function'),
  terminal: () => assert.equal(statusOfSignal('SIGINT'), 130),
  'known-clusters': async () => assert.ok(Array.isArray(await registeredServers())),
  snapshot: () => assert.equal(isOfHowdah('app'), false),
  lease: async () => {
    const leaser = createFileLeaser({ dir: home })
    assert.equal(await runWithLease(leaser, (_signal, held) => held.generation), 1n)
  },
  coordinate: async () => assert.equal(typeof Free, 'function'),
  ltx: async () => {
    const { header } = await verifyLtx(snapshot())
    assert.equal(header.maxTxid, 1n)
  },
  replica: async () => {
    const replica = new FileReplica(file('replica'))
    await replica.writeLtxFile(0, 1n, 1n, snapshot())
    const { from } = await replica.restore({ output: file('app.db'), integrityCheck: 'none' })
    assert.equal(from.txid, 1n)
  },
  runtime: async () => {
    const runtime = await defaultStrategy({ from: import.meta.url }).fallback()
    if (withoutPostgres) return
    assert.match((await runtime.execute('postgres', ['--version'])).stdout, /PostgreSQL/)
  },
  cluster: async () => {
    assert.ok(Array.isArray(await clusters()))
    if (withoutPostgres) return
    const db = await temporary()
    const { rows } = await (await db.pool()).query('SELECT 1 AS one')
    assert.deepEqual(rows, [{ one: 1 }])
    await db.leave()
  },
  wal: () => assert.equal(parseLsn('0/10'), 16n),
  'data-directory': async () => assert.equal(await readVersion(new DataDirectory(home)), null),
  backup: async () => {
    await assert.rejects(verifyBackups(file('backups')), { code: 'ERR_CLUSTER_NO_BACKUP' })
  },
  doctor: async () =>
    assert.deepEqual(await diagnose({ scope: 'clusters', checks: ['modes'] }), []),
  testing: async () => {
    const databases = testDatabases({ root: home, linger: 0 })
    if (!withoutPostgres)
      assert.equal((await (await databases.create()).query('SELECT 1')).rowCount, 1)
    await databases.end()
  },
  cli: async () => {
    const stdout = new PassThrough()
    const io = { ...processIo(import.meta.url, '1.0.0'), stdout, inherit: false, cwd: home }
    const status = withoutPostgres
      ? await main(['--version'], io)
      : await main(['exec', '--temporary', '--', 'sh', '-c', 'echo $PGDATABASE'], io)
    assert.equal(status, 0)
    assert.equal(await text(stdout.end()), withoutPostgres ? '1.0.0\n' : 'postgres\n')
  },
}

/** The whole of a database of one page. */
function snapshot() {
  const header = { pageSize: 4096, commit: 1, minTxid: 1n, maxTxid: 1n, timestamp: 1_000n }
  return encodeLtx(header, [{ number: 1, data: Buffer.alloc(4096) }])
}

const failures = []
for (const [name, use] of Object.entries(uses)) {
  try {
    await use()
  } catch (error) {
    failures.push(name)
    console.error(`@howdah/${name}:`, error)
  }
}
rmSync(home, { recursive: true, force: true })
console.log(failures.length === 0 ? 'all work' : `these do not work: ${failures.join(', ')}`)
process.exitCode = failures.length === 0 ? 0 : 1
