import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { temporaryDirectory } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { hasDatabase } from '../../src/without-driver/has-database.ts'
import { run } from '../../src/index.ts'
import { newest } from '@howdah/postgres-fixtures'

it('finds out whether there is a database without a driver', async () => {
  using home = temporaryDirectory()
  await using session = await run(home.file('data'), { strategy: newest.strategy, throwAway: true })
  const name = 'a "näme" b'
  await expect(hasDatabase(session.address, name)).resolves.toBe(false)
  await expect(session.ensureDatabase(name)).resolves.toBe('modified')
  await expect(hasDatabase(session.address, name)).resolves.toBe(true)
  await expect(session.ensureDatabase(name)).resolves.toBe('unmodified')
})

it('does not know of a database that lets nobody in, and says then what a driver says', async () => {
  using home = temporaryDirectory()
  await using session = await run(home.file('data'), { strategy: newest.strategy, throwAway: true })
  await expect(hasDatabase(session.address, 'template0')).resolves.toBeNull()
  await expect(session.ensureDatabase('template0')).rejects.toMatchObject({ code: '55000' })
})

it('throws if the server has left its socket behind, or ends without an answer', async () => {
  using home = temporaryDirectory()
  const address = { host: home.path, port: 1, user: 'joe', password: null }
  const path = home.file('.s.PGSQL.1')
  const killed = `net.createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', killed, path])
  await expect(hasDatabase(address, 'app')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  rmSync(path)
  const server = createServer((socket) => socket.once('data', () => socket.destroy()))
  await new Promise<void>((done) => server.listen(path, done))
  await expect(hasDatabase(address, 'app')).rejects.toMatchObject({ code: 'ECONNRESET' })
  await new Promise((done) => server.close(done))
})

it('does not know if nobody answers, or not as PostgreSQL does', async () => {
  using home = temporaryDirectory()
  const address = { host: home.path, port: 1, user: 'joe', password: null }
  await expect(hasDatabase(address, 'app')).resolves.toBeNull()
  const server = createServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  await new Promise<void>((done) => server.listen(home.file('.s.PGSQL.1'), done))
  await expect(hasDatabase(address, 'app')).resolves.toBeNull()
  await new Promise((done) => server.close(done))
})
