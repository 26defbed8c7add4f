import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
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
  while (!(await answers(join(home, `.s.PGSQL.${port}`)))) {
    if (server.exitCode !== null) {
      await end()
      throw new Error(`no plain server starts at port ${port}; is it taken?`)
    }
    await sleep(20)
  }
  try {
    await prepare(
      { host: home, port, user: decodeURIComponent(url.username) },
      url,
      init && join(directory, init),
    )
  } catch (error) {
    await end()
    throw error
  }
  return { end }
}

/** Makes the database, and runs the scripts of a directory in it. */
async function prepare(place, { pathname }, init) {
  const database = pathname.slice(1)
  const run = async (name, sql) => {
    const client = new pg.Client({ ...place, database: name })
    await client.connect()
    try {
      await client.query(sql)
    } finally {
      await client.end()
    }
  }
  if (database !== 'postgres')
    await run('postgres', `CREATE DATABASE ${pg.escapeIdentifier(database)}`)
  if (init === undefined) return
  for (const name of readdirSync(init).toSorted())
    if (name.endsWith('.sql')) await run(database, readFileSync(join(init, name), 'utf8'))
}

async function answers(path) {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
