import {
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { temporaryDirectory, times } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import {
  addToCrc32c,
  emptyCrc32c,
  finishCrc32c,
  parseSegmentName,
  startOf,
  WalReader,
  type WalRecord,
} from '@howdah/wal'
import { Cluster, readSystemIdentifier } from '@howdah/cluster'
import { somePostgres } from '@howdah/postgres-fixtures'

const segmentSize = 16 * 1024 * 1024
const pageSize = 8192
const recordHeaderSize = 24

function writeByte(path: string, at: number, byte: number): void {
  writeBytes(path, at, Buffer.of(byte))
}

function writeBytes(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, 'r+')
  writeSync(file, bytes, 0, bytes.length, at)
  closeSync(file)
}

/**
 * The header of a record of a segment, with its place in the file, changed so that it names another record before it; its
 * checksum is right. See `XLogRecord` in PostgreSQL's `xlogrecord.h`.
 */
async function recordWithAnotherBefore(
  bytes: Buffer,
  segment: Parameters<WalReader['read']>[0],
  newReader: (onRecord: (record: WalRecord) => void) => WalReader,
): Promise<{ at: number; header: Buffer }> {
  const places: number[] = []
  await newReader(({ lsn }) => places.push(Number(lsn - segment.start))).read(segment)
  const lengthAt = (at: number) => bytes.readUInt32LE(at)
  const at = places.slice(2).find((place) => (place % pageSize) + lengthAt(place) <= pageSize)!
  const header = Buffer.from(bytes.subarray(at, at + recordHeaderSize))
  header.writeBigUInt64LE(header.readBigUInt64LE(8) - 8n, 8)
  const body = addToCrc32c(emptyCrc32c, bytes, at + recordHeaderSize, at + lengthAt(at))
  header.writeUInt32LE(finishCrc32c(addToCrc32c(body, header, 0, 20)), 20)
  return { at, header }
}

it.concurrent.each(somePostgres)(
  'reads the WAL of $name as it was written, and finds any byte that has changed',
  async ({ strategy, major }) => {
    using home = temporaryDirectory()
    const cluster = new Cluster(home.file('data'), { strategy })
    let marked = ''
    {
      await using session = await cluster.run({ settings: { wal_keep_segments: '50' } }).catch(
        // Another name from 13 on.
        async () => await cluster.run({ settings: { wal_keep_size: '800MB' } }),
      )
      const client = await session.connect()
      // More than a segment, in records of which some are longer than a page, and then one that is not full.
      await client.query(`CREATE TABLE t AS SELECT g, repeat(md5(g::text), 100) AS text
                            FROM generate_series(1, 20000) AS g`)
      await client.query(`ALTER TABLE t ALTER COLUMN text SET STORAGE EXTERNAL`)
      await client.query(`INSERT INTO t SELECT 0, repeat('x', 1000000)`)
      await client.query(`DO $$ BEGIN
        FOR n IN 1..3000 LOOP INSERT INTO t SELECT n, repeat(md5(random()::text), 150); END LOOP;
      END $$`)
      marked = await session.createRestorePoint('über')
      await client.query('CREATE TABLE u AS SELECT 1 AS n')
      await client.query('SELECT pg_switch_wal()')
      await client.query('CREATE TABLE v AS SELECT 1 AS n')
    }
    const wal = home.file('data', 'pg_wal')
    const segments = readdirSync(wal)
      .filter((name) => /^[\dA-F]{24}$/.test(name))
      .toSorted()
    const systemIdentifier = await readSystemIdentifier(cluster.dataDir)
    const points: string[] = []
    const note = ({ resourceManager, info, body, lsn }: WalRecord) => {
      if (resourceManager === 0 && info === 0x70 && body.includes('über')) points.push(String(lsn))
    }
    const reader = (onRecord?: (record: WalRecord) => void) =>
      new WalReader({ major, systemIdentifier, segmentSize }, onRecord)
    const toRead = (name: string, path = home.file('data', 'pg_wal', name)) => ({
      path,
      start: startOf(parseSegmentName(name, segmentSize)!.number, segmentSize),
      timelineAt: () => 1,
    })
    // The last is not full, and goes on with what was there before.
    const whole = reader(note)
    const last = segments.findIndex(
      (name) => toRead(name).start > BigInt(`0x${marked.split('/')[1]}`),
    )
    expect(last).toBeGreaterThan(1)
    for (const name of segments.slice(0, last + 1)) {
      expect([name, await whole.read(toRead(name))]).toEqual([name, null])
    }
    expect(points).toHaveLength(1)

    // One that is full, and one that is not.
    for (const index of [1, last]) {
      const name = segments[index]!
      const copy = home.file(name)
      copyFileSync(`${wal}/${name}`, copy)
      const bytes = readFileSync(copy)
      const read = async () => {
        const anew = reader()
        await anew.read(toRead(segments[index - 1]!))
        return await anew.read(toRead(name, copy))
      }
      // Read alone, only the record is passed over with which the file goes on from the one before.
      const find = async () => (await reader().read(toRead(name, copy))) ?? (await read())
      expect(await read()).toBe(null)
      const places = [
        0,
        2,
        5,
        8,
        20,
        24,
        32,
        36,
        40,
        8192,
        8192 + 3,
        8192 + 8,
        8192 + 16,
        segmentSize - 1,
      ]
      for (let n = 1; n <= times(4, 11); n += 1) places.push(n * 4111, n * 1_398_101)
      for (const at of places) {
        const before = bytes[at]!
        const isFlags = at % 8192 === 2
        writeByte(copy, at, before ^ (isFlags ? 0x01 : 0x10))
        expect({ at, found: await find() }).toEqual({ at, found: expect.any(String) })
        writeByte(copy, at, before)
      }
      expect(await read()).toBe(null)
      // As in a file of another history, each record of which is sound.
      const { at, header } = await recordWithAnotherBefore(bytes, toRead(name, copy), reader)
      writeBytes(copy, at, header)
      expect(await read()).toMatch(/that follows one at/)
      writeFileSync(copy, bytes.subarray(0, -1))
      expect(await read()).toMatch(/bytes and not/)
    }
  },
  240_000,
)
