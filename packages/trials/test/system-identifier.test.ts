import { cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { setImmediate } from 'node:timers/promises'
import { temporaryDirectory } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { Cluster } from '@howdah/cluster'
import { crc32c } from '@howdah/wal'
import {
  newSystemIdentifier,
  readSystemIdentifier,
  writeSystemIdentifier,
} from '@howdah/data-directory'
import { newest, somePostgres } from '@howdah/postgres-fixtures'

it('computes the checksums that RFC 3720 has for examples', () => {
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, at) => at)))).toBe(0x46dd794e)
})

it('makes identifiers that begin with the time, and no two are equal', async () => {
  const before = Math.floor(Date.now() / 1000)
  const all: bigint[] = []
  while (all.length < 1000) all.push(await setImmediate(null).then(newSystemIdentifier))
  expect(new Set(all).size).toBe(1000)
  const seconds = Number((all.at(-1) ?? 0n) >> 32n)
  expect(seconds).toBeGreaterThanOrEqual(before - 1)
  expect(seconds).toBeLessThanOrEqual(before + 60)
  const microseconds = Number(((all.at(-1) ?? 0n) >> 12n) & 0xfffffn)
  expect(microseconds).toBeLessThan(1_000_000)
})

it.each(somePostgres)('gives a copy an identifier of its own: $name', async ({ strategy }) => {
  using home = temporaryDirectory()
  const original = new Cluster(home.file('original'), { strategy })
  {
    await using session = await original.run()
    const client = await session.connect()
    await client.query('CREATE TABLE kept AS SELECT 42 AS answer')
    await client.query('SELECT pg_switch_wal()')
  }
  const copies = [home.file('one'), home.file('two')]
  for (const copy of copies) copyCluster(original.dataDir, copy)
  const identifiers = await Promise.all(
    copies.map(async (copy) => await writeSystemIdentifier(copy)),
  )

  const first = await readSystemIdentifier(original.dataDir)
  expect(new Set([first, ...identifiers]).size).toBe(3)
  for (const [index, copy] of copies.entries()) {
    expect(await readSystemIdentifier(copy)).toBe(identifiers[index])
    await using session = await new Cluster(copy, { strategy }).run()
    const client = await session.connect()
    const { rows } = await client.query(
      'SELECT system_identifier::text AS identifier, answer FROM pg_control_system(), kept',
    )
    expect(rows).toEqual([{ identifier: String(identifiers[index]), answer: 42 }])
    await session.leave()
    expect(identifiersInWal(copy)).toEqual([identifiers[index]])
  }
  expect(await readSystemIdentifier(original.dataDir)).toBe(first)
})

it('recovers a copy of a crashed cluster from the WAL that it has changed', async () => {
  using home = temporaryDirectory()
  const { strategy } = newest
  const original = new Cluster(home.file('original'), { strategy })
  await original.start()
  const server = await original.server()
  const client = await server.connect()
  await client.query('CREATE TABLE kept AS SELECT 42 AS answer')
  await client.end()
  await original.stop({ shutdown: 'immediate' })

  copyCluster(original.dataDir, home.file('copy'))
  await writeSystemIdentifier(home.file('copy'))
  await using session = await new Cluster(home.file('copy'), { strategy }).run()
  const again = await session.connect()
  expect((await again.query('SELECT answer FROM kept')).rows).toEqual([{ answer: 42 }])
})

it('changes nothing if the control file is damaged', async () => {
  using home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  await cluster.create()
  const control = home.file('data', 'global', 'pg_control')
  const content = readFileSync(control)
  const wal = identifiersInWal(cluster.dataDir)
  for (const damage of [
    () => writeFileSync(control, content.with(100, (content[100] ?? 0) ^ 1)),
    () => truncateSync(control, 100),
    () => truncateSync(control, 0),
  ]) {
    damage()
    const refused = { code: 'ERR_CLUSTER_CONTROL_FILE', dataDir: cluster.dataDir }
    await expect(readSystemIdentifier(cluster.dataDir)).rejects.toMatchObject(refused)
    await expect(writeSystemIdentifier(cluster.dataDir)).rejects.toMatchObject(refused)
    expect(identifiersInWal(cluster.dataDir)).toEqual(wal)
  }
})

/** With owners and modes, which the server looks at. */
function copyCluster(from: string, to: string): void {
  if (process.getuid?.() === 0) execFileSync('cp', ['-a', from, to])
  else cpSync(from, to, { recursive: true, verbatimSymlinks: true })
}

/** Those that the first pages of the segments name, each once. */
function identifiersInWal(dataDir: string): bigint[] {
  const names = readdirSync(`${dataDir}/pg_wal`).filter((name) => /^[\dA-F]{24}$/.test(name))
  const found = names.map((name) => readFileSync(`${dataDir}/pg_wal/${name}`).readBigUInt64LE(24))
  return [...new Set(found)].filter((identifier) => identifier !== 0n)
}
