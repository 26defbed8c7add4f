import { readFileSync, writeFileSync } from 'node:fs'
import { Cluster } from '@howdah/cluster'
import { until } from '@howdah/fixtures'
import { everyPostgres } from '@howdah/postgres-fixtures'
import { Client } from 'pg'
import { expect, it, onTestFinished, vi } from 'vitest'
import { testDatabases } from '../src/index.ts'
import { dropKnownDatabases, knownDatabases } from '../src/inventory.ts'
import { givenServer } from './support/given-server.ts'
import { ownPlace } from './support/place.ts'
import { Project } from './support/project.ts'

ownPlace()

it('lists databases with their owners, and drops those that nobody owns', async () => {
  using project = new Project()
  await using server = await givenServer()
  const there = { server: server.url }
  const databases = testDatabases(project.options({ ...there, ahead: 0 }))
  const used = await databases.create({ test: 'one' })
  const kept = await databases.create({ test: 'other' })
  await kept.keep()
  await kept.release()
  const found = await knownDatabases(there)
  expect(found.toSorted((a, b) => a.state.localeCompare(b.state))).toMatchObject([
    { name: kept.name, state: 'kept', test: 'other', isOwned: false },
    { state: 'template', isOwned: true },
    { name: used.name, state: 'used', test: 'one', isOwned: true },
  ])
  expect(JSON.stringify(found)).not.toContain('p%40ss')
  expect(await dropKnownDatabases([used.name], there)).toEqual([])
  expect(await dropKnownDatabases('all', there)).toEqual([kept.name])
  await databases.end()
  expect(await dropKnownDatabases('all', there)).toHaveLength(1)
  expect(await server.databases()).toEqual([])
})

it('keeps our server for a kept database, and ends it with the database', async () => {
  using project = new Project()
  const databases = testDatabases(project.options())
  const db = await databases.create()
  await db.keep()
  await databases.end()
  expect(await knownDatabases()).toContainEqual(
    expect.objectContaining({ name: db.name, state: 'kept', isOwned: false }),
  )
  expect(await dropKnownDatabases([db.name])).toEqual([db.name])
  // Other tests' servers may be known, too.
  expect(await knownDatabases()).not.toContainEqual(expect.objectContaining({ name: db.name }))
})

it('waits for one of our servers that has not yet said where it listens', async () => {
  using project = new Project()
  await using databases = testDatabases(project.options())
  await using db = await databases.create()
  const { server } = (await knownDatabases()).find(({ name }) => name === db.name) ?? {}
  const { pidFile } = new Cluster(server ?? '')
  const whole = readFileSync(pidFile, 'utf8')
  // As it is before the server has made its socket.
  writeFileSync(pidFile, `${whole.split('\n').slice(0, 3).join('\n')}\n`)
  const known = knownDatabases()
  setTimeout(() => writeFileSync(pidFile, whole), 300)
  expect(await known).toContainEqual(expect.objectContaining({ name: db.name }))
})

it('skips one of our servers that ends while it is asked', async () => {
  using project = new Project()
  const databases = testDatabases(project.options())
  const db = await databases.create()
  const { server } = (await knownDatabases()).find(({ name }) => name === db.name) ?? {}
  const { pid } = (await new Cluster(server ?? '').status()) as { pid: number }
  process.kill(pid, 'SIGSTOP')
  const connect = vi.spyOn(Client.prototype, 'connect')
  onTestFinished(() => connect.mockRestore())
  const attempts = () =>
    connect.mock.contexts.filter((one) => (one as Client).host.startsWith(String(server))).length
  const known = knownDatabases()
  const dropped = dropKnownDatabases([db.name])
  await until('both connect to it', () => attempts() >= 2)
  process.kill(pid, 'SIGKILL')
  expect(await known).not.toContainEqual(expect.objectContaining({ name: db.name }))
  expect(await dropped).toEqual([])
  await databases.end()
})

it('finds the databases of a server whose programs are not found', async () => {
  using project = new Project()
  const [oldest] = everyPostgres
  await using databases = testDatabases(project.options({ strategy: oldest?.strategy }))
  const db = await databases.create()
  expect(await knownDatabases()).toContainEqual(expect.objectContaining({ name: db.name }))
  await db.release()
})
