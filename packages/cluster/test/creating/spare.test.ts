import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { temporaryDirectory, type TemporaryDirectory, until } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Cluster, sweepTemporary, temporary, type TemporaryOptions } from '../../src/index.ts'

const { strategy } = newest
const variable = 'HOWDAH_TEMPORARY_DIR'
/** In ms: longer than a test takes. */
const long = 300_000

let home: TemporaryDirectory
beforeEach(() => {
  home = temporaryDirectory()
  process.env[variable] = home.path
})
afterEach(() => {
  delete process.env[variable]
  home[Symbol.dispose]()
})

const namesIn = (place: string) => readdirSync(place)
const clustersIn = (place: string) => namesIn(place).filter((name) => !name.startsWith('.'))

/** The file that says which cluster is the spare one, and its cluster. */
function spareIn(place: string): { file: string; dataDir: string } | null {
  const name = namesIn(place).find((one) => /^\.spare-[\w.]+-[0-9a-f]+-[0-9a-f]{8}$/.test(one))
  if (name === undefined) return null
  return {
    file: `${place}/${name}`,
    dataDir: `${place}/${readFileSync(`${place}/${name}`, 'utf8')}`,
  }
}

/** Runs a temporary cluster with a spare, and leaves it when the spare waits. */
async function leaveSpare(options: TemporaryOptions = {}, spare = long) {
  await using session = await temporary({ strategy, ...options, spare })
  const place = dirname(session.dataDir)
  return { place, ...(await until('the spare waits', () => spareIn(place))) }
}

/** Ends a spare that nobody is to take. */
async function end(dataDir: string): Promise<void> {
  await new Cluster(dataDir, { strategy }).destroy({ force: true })
}

it('is a server that runs: the next call takes it, and removes it in the end', async () => {
  const { place, dataDir } = await leaveSpare()
  expect(await new Cluster(dataDir, { strategy }).running()).toBe(true)

  const next = await temporary({ strategy, database: 'test' })
  expect([next.dataDir, next.started]).toEqual([dataDir, 'unmodified'])
  const client = await next.connect()
  expect((await client.query('SELECT current_database() AS name')).rows).toEqual([{ name: 'test' }])
  expect(spareIn(place)).toBe(null)
  expect(await next.leave()).toBe('destroyed')
  expect(clustersIn(place)).toEqual([])
})

it('goes to one of those who want it', async () => {
  const { dataDir } = await leaveSpare()
  const sessions = await Promise.all([temporary({ strategy }), temporary({ strategy })])
  expect(sessions.filter((one) => one.dataDir === dataDir)).toHaveLength(1)
  for (const session of sessions) expect(await session.leave()).toBe('destroyed')
})

it('is one, however many ask for it', async () => {
  const options = { strategy, spare: long }
  const sessions = await Promise.all([temporary(options), temporary(options)])
  const place = dirname(sessions[0].dataDir)
  const { dataDir } = await until('the spare waits', () => spareIn(place))
  expect(clustersIn(place)).toHaveLength(3)
  for (const session of sessions) await session.leave()
  expect(clustersIn(place)).toEqual([basename(dataDir)])
  await end(dataDir)
})

it.each<[string, TemporaryOptions]>([
  ['settings', { settings: { work_mem: '1MB' } }],
  ['a superuser', { user: 'somebody' }],
  ['trust', { trust: true }],
  ['TCP', { tcp: true }],
  ['a password', { password: 'secret' }],
])('is not for a call with other options: %s', async (_, options) => {
  const { dataDir } = await leaveSpare()
  await using other = await temporary({ strategy, ...options })
  expect(other.dataDir).not.toBe(dataDir)
  await end(dataDir)
})

it('has the settings of those for whom it was started', async () => {
  const settings = { work_mem: '1MB' }
  const { dataDir } = await leaveSpare({ settings })
  await using next = await temporary({ strategy, settings })
  expect(next.dataDir).toBe(dataDir)
  const client = await next.connect()
  expect((await client.query('SHOW work_mem')).rows).toEqual([{ work_mem: '1MB' }])
})

it('is gone when its time is over, and then the next call makes a cluster', async () => {
  const { place, file, dataDir } = await leaveSpare({}, 1000)
  await until('it is gone', () => !existsSync(dataDir), 30_000)
  await using next = await temporary({ strategy })
  expect(next.started).toBe('modified')
  await sweepTemporary()
  expect(existsSync(file)).toBe(false)
  expect(clustersIn(place)).toEqual([basename(next.dataDir)])
})

it('is not taken by what a killed process has renamed', async () => {
  const { place, file, dataDir } = await leaveSpare()
  const left = `${file}.0123456789ab`
  writeFileSync(left, readFileSync(file))
  await using next = await temporary({ strategy })
  expect(next.dataDir).toBe(dataDir)
  await next.leave()
  await sweepTemporary()
  expect(namesIn(place).filter((name) => name.startsWith(basename(left)))).toEqual([])
})

it('has a file that names a cluster beside it, and nothing else', async () => {
  const { file, dataDir } = await leaveSpare()
  writeFileSync(file, '../elsewhere')
  await using next = await temporary({ strategy })
  expect([next.started, next.dataDir === dataDir]).toEqual(['modified', false])
  await end(dataDir)
})
