// Start and stop of one and the same cluster: by howdah, by a bare spawn, and by pg_ctl.
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { read } from './memory.mjs'

/** To run until it is stopped. */
export async function started(cluster, times) {
  await times.time('start howdah', async () => await cluster.start())
  await times.time('status howdah', async () => await cluster.status())
  const server = await cluster.server()
  await times.time('connect howdah', async () => {
    const client = await server.connect()
    await client.query('SELECT 1')
    await client.end()
  })
  await times.time('stop howdah', async () => await cluster.stop())
}

/** The first to come and the last to leave: the same with a user and a watchdog. */
export async function shared(cluster, times) {
  const session = await times.time('start howdah, run', async () => await cluster.run())
  await times.time('stop howdah, leave', async () => await session.leave())
}

/** As little as can be done: spawn, look at the file until it says ready; signal, wait for the end. */
export async function bare({ dataDir, bindir, asServer }, times) {
  const child = await times.time(
    'start bare spawn',
    async () => await startBare({ dataDir, bindir, asServer }),
  )
  await times.time('stop bare spawn', async () => await stopBare(child))
}

/** Spawns a server, and waits until its file says that it is ready. */
export async function startBare({ dataDir, bindir, asServer }, more = []) {
  const args = ['-D', dataDir, '-k', '.', '-h', '', '-p', '1', ...more]
  const options = { ...asServer, cwd: '/', env: { LC_ALL: 'C' }, stdio: 'ignore' }
  const child = spawn(join(bindir, 'postgres'), args, options)
  for (;;) {
    const [pid, , , , , , , status] = read(join(dataDir, 'postmaster.pid')).split('\n')
    if (Number(pid) === child.pid && status?.trim() === 'ready') return child
    if (child.exitCode !== null) throw new Error(`postgres ended with status ${child.exitCode}`)
    await sleep(1)
  }
}

/** Tells a server to stop, and waits for its end. */
export async function stopBare(child) {
  const ended = new Promise((done) => child.once('exit', done))
  child.kill('SIGINT')
  await ended
}

export async function pgCtl({ dataDir, bindir, asServer }, times) {
  const run = (...args) => {
    const options = { ...asServer, cwd: '/', env: { LC_ALL: 'C' }, stdio: 'ignore' }
    const { status } = spawnSync(join(bindir, 'pg_ctl'), ['-D', dataDir, ...args], options)
    if (status !== 0) throw new Error(`pg_ctl ${args[0]} ended with status ${status}`)
  }
  const log = join(dataDir, 'log')
  await times.time('start pg_ctl', () => run('start', '-w', '-l', log, '-o', '-k . -h "" -p 1'))
  await times.time('status pg_ctl', () => run('status'))
  await times.time('stop pg_ctl', () => run('stop', '-w', '-m', 'fast'))
}
