import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const pg = createRequire(new URL('../../packages/cluster/package.json', import.meta.url))('pg')

/** For root, since PostgreSQL refuses to run as that. */
const nobody = 65_534

/**
 * A server as its own programs make and start it, with its defaults, at the port and with the superuser and database of a URL. It is
 * what the other one is compared with.
 */
export async function plainServer(bindir, { as, trust = false, init, settings = {} }, directory) {
  const url = new URL(as)
  const home = mkdtempSync(join(tmpdir(), 'plain-'))
  const ids = process.geteuid() === 0 ? { uid: nobody, gid: nobody } : {}
  if (ids.uid !== undefined) chownSync(home, nobody, nobody)
  const data = join(home, 'data')
  const secret = join(home, 'password')
  writeFileSync(secret, `${decodeURIComponent(url.password) || 'none'}\n`, { mode: 0o644 })
  const env = { ...process.env, LC_ALL: 'C.UTF-8' }
  const auth = ['--auth-local=trust', `--auth-host=${trust ? 'trust' : 'scram-sha-256'}`]
  const made = [
    '-D',
    data,
    '-E',
    'UTF8',
    '-U',
    decodeURIComponent(url.username),
    `--pwfile=${secret}`,
  ]
  execFileSync(join(bindir, 'initdb'), [...made, ...auth], {
    ...ids,
    env,
    cwd: home,
    stdio: 'pipe',
  })
  const port = url.port || '5432'
  const all = { port, listen_addresses: 'localhost', unix_socket_directories: home, ...settings }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = spawn(join(bindir, 'postgres'), ['-D', data, ...flags], {
    ...ids,
    env,
    cwd: home,
    stdio: 'ignore',
  })
  const ended = once(server, 'exit')
  const end = async () => {
    server.kill('SIGINT')
    await ended
    rmSync(home, { recursive: true, force: true })
  }
  const place = { host: home, port, user: decodeURIComponent(url.username) }
  try {
    while (!(await letsIn(place))) {
      if (server.exitCode !== null)
        throw new Error(`no plain server starts at port ${port}; is it taken?`)
      await sleep(20)
    }
    await prepare(place, url, init && join(directory, init))
  } catch (error) {
    await end()
    throw error
  }
  return { end }
}

/** Makes the database, and runs the scripts of a directory in it. */
async function prepare(place, { pathname }, init) {
  const database = pathname.slice(1)
  if (database !== 'postgres')
    await run(place, 'postgres', `CREATE DATABASE ${pg.escapeIdentifier(database)}`)
  if (init === undefined) return
  for (const name of readdirSync(init).toSorted())
    if (name.endsWith('.sql')) await run(place, database, readFileSync(join(init, name), 'utf8'))
}

/** Not as soon as it listens. */
async function letsIn(place) {
  try {
    await run(place, 'postgres', 'SELECT 1')
    return true
  } catch {
    return false
  }
}

async function run(place, database, sql) {
  const client = new pg.Client({ ...place, database })
  try {
    await client.connect()
    await client.query(sql)
  } finally {
    await client.end()
  }
}
