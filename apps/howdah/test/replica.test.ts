import {
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { S3Server, temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { encodeLtx } from '@howdah/ltx'
import { FileReplica } from '@howdah/replica'
import sqlite from 'node-sqlite3-wasm'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { answer, type Options, type Result, start } from './project.ts'

const require = createRequire(import.meta.url)
const { compressFrameSync } = require('lz4-napi') as {
  compressFrameSync(this: void, data: Buffer, options: { contentChecksum: boolean }): Buffer
}

const pageSize = 4096
/** When a transaction was made. */
const timeOf = (txid: number): Date => new Date(1_700_000_000_000 + txid * 1000)
const txidOf = (txid: number): string => txid.toString(16).padStart(16, '0')
const nameOf = (txid: number): string => `ltx/0/${txidOf(txid)}-${txidOf(txid)}.ltx`

let directory: TemporaryDirectory
let replica: FileReplica
/** The whole database file after each transaction, from the first on. */
let states: Buffer[]
beforeEach(async () => {
  directory = temporaryDirectory()
  replica = new FileReplica(directory.file('replica'))
  states = []
  for (let txid = 1; txid <= 3; txid++) await write(txid)
})
afterEach(() => directory[Symbol.dispose]())

/** Makes one more transaction, and an LTX file of it. */
async function write(txid: number): Promise<void> {
  const path = directory.file('original.db')
  const database = new sqlite.Database(path)
  database.exec(`PRAGMA page_size = ${pageSize}`)
  database.exec('CREATE TABLE IF NOT EXISTS elephants (name TEXT)')
  database.run('INSERT INTO elephants VALUES (?)', [`elephant ${txid}`.padEnd(txid * 3000)])
  database.close()
  const state = readFileSync(path)
  states.push(state)
  const commit = state.length / pageSize
  const pages = Array.from({ length: commit }, (_, index) => ({
    number: index + 1,
    data: state.subarray(index * pageSize, (index + 1) * pageSize),
  }))
  const [id, timestamp] = [BigInt(txid), BigInt(timeOf(txid).getTime())]
  const header = { pageSize, commit, minTxid: id, maxTxid: id, timestamp }
  await replica.writeLtxFile(0, id, id, encodeLtx(header, pages))
}

async function howdah(args: readonly string[], options: Options = {}): Promise<Result> {
  return await start(directory.path, args, options).result
}

/** As `howdah`, but in this process. */
async function said(...args: string[]): Promise<Result> {
  return await answer(directory.path, ['replica', ...args])
}

/** Changes a byte in the middle of a file. */
function damage(path: string): void {
  const bytes = readFileSync(path)
  const middle = bytes.length >> 1
  bytes[middle] = (bytes[middle] ?? 0) ^ 0xff
  writeFileSync(path, bytes)
}

describe('replica ls', () => {
  test('lists each file with its time and size', async () => {
    const { status, stdout, stderr } = await howdah(['replica', 'ls', 'replica'])
    const lines = [1, 2, 3].map((txid) => {
      const { size } = statSync(`${replica.path}/${nameOf(txid)}`)
      return `${timeOf(txid).toISOString()} ${`${size}`.padStart(12)} ${nameOf(txid)}\n`
    })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: lines.join(''), stderr: '' })
  })

  test('says the same as JSON, also of a file:// URL', async () => {
    const url = pathToFileURL(replica.path).href
    const { status, stdout } = await howdah(['replica', 'ls', url, '--json'])
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toEqual(
      [1, 2, 3].map((txid) => ({
        kind: 'ltx',
        path: `${replica.path}/${nameOf(txid)}`,
        level: 0,
        minTxid: txidOf(txid),
        maxTxid: txidOf(txid),
        size: statSync(`${replica.path}/${nameOf(txid)}`).size,
        createdAt: timeOf(txid).toISOString(),
      })),
    )
  })
})

describe('replica verify', () => {
  test('finds nothing wrong with a sound replica', async () => {
    expect(await said('verify', 'replica')).toEqual({
      status: 0,
      stdout: '',
      stderr: '3 files, all sound\n',
    })
  })

  test('names each damaged file: status 1', async () => {
    const [first, , third] = [1, 2, 3].map((txid) => `${replica.path}/${nameOf(txid)}`)
    damage(first!)
    truncateSync(third!, 150)
    const { status, stdout, stderr } = await said('verify', 'replica')
    expect([status, stderr]).toEqual([1, '3 files, 2 wrong\n'])
    expect(stdout.trimEnd().split('\n')).toEqual([
      expect.stringContaining(first!),
      expect.stringContaining(third!),
    ])
    const { status: again, stdout: json } = await said('verify', 'replica', '--json')
    expect([again, JSON.parse(json)]).toEqual([
      1,
      {
        files: 3,
        problems: [
          { code: 'ERR_REPLICA_DAMAGED', message: expect.any(String), path: first },
          { code: 'ERR_REPLICA_DAMAGED', message: expect.any(String), path: third },
        ],
      },
    ])
  })

  test('finds that a file is missing between the others: status 1', async () => {
    unlinkSync(`${replica.path}/${nameOf(2)}`)
    const { status, stdout } = await said('verify', 'replica', '--json')
    expect([status, JSON.parse(stdout)]).toEqual([
      1,
      { files: 2, problems: [expect.objectContaining({ code: 'ERR_REPLICA_GAP' })] },
    ])
  })

  test('does not find a directory sound that holds no replica, nor one that is not there', async () => {
    const { status, stdout } = await said('verify', '.')
    expect([status, stdout]).toEqual([1, expect.stringContaining('no LTX file')])
    const { status: missing, stderr } = await said('verify', 'elsewhere')
    expect([missing, stderr]).toEqual([1, expect.stringContaining('it does not exist')])
  })
})

describe('replica restore', () => {
  const restored = () => readFileSync(directory.file('new.db'))
  const restore = async (...args: string[]) =>
    await said('restore', 'replica', '--to', 'new.db', ...args)

  test('makes the latest state', async () => {
    const { status, stdout, stderr } = await restore()
    expect([status, stdout, stderr]).toEqual([
      0,
      '',
      expect.stringContaining(
        `restored ${directory.file('new.db')} as it was after transaction ${txidOf(3)}`,
      ),
    ])
    expect(restored()).toEqual(states[2])
  })

  test('makes the state after a transaction', async () => {
    const { status, stdout } = await restore('--txid', txidOf(2), '--json')
    expect([status, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({
        path: directory.file('new.db'),
        from: { format: 'ltx', txid: txidOf(2) },
        timestamp: timeOf(2).toISOString(),
      }),
    ])
    expect(restored()).toEqual(states[1])
  })

  test('makes the state at a time', async () => {
    const between = new Date(timeOf(1).getTime() + 500).toISOString()
    expect((await restore('--time', between)).status).toBe(0)
    expect(restored()).toEqual(states[0])
  })

  test('touches no file that is there: status 1', async () => {
    writeFileSync(directory.file('new.db'), 'mine')
    const { status, stderr } = await restore()
    expect([status, stderr]).toEqual([1, expect.stringContaining('exists already; delete it')])
    expect(restored().toString()).toBe('mine')
  })

  test('takes what litestream 0.3 wrote if that is newer, and says so', async () => {
    const wal = `${replica.path}/generations/0123456789abcdef/snapshots`
    mkdirSync(wal, { recursive: true })
    const compressed = compressFrameSync(states[0]!, { contentChecksum: true })
    writeFileSync(`${wal}/00000000.snapshot.lz4`, compressed)
    const { status, stderr } = await restore()
    expect([status, stderr]).toEqual([
      0,
      expect.stringContaining(
        `; the LTX files there are older (up to ${timeOf(3).toISOString()}) and were not used\n`,
      ),
    ])
    expect(stderr).toContain('from generation 0123456789abcdef, WAL 0')
    expect(restored()).toEqual(states[0])
    const old = new Date(timeOf(3).getTime() - 1)
    utimesSync(`${wal}/00000000.snapshot.lz4`, old, old)
    unlinkSync(directory.file('new.db'))
    expect((await restore()).stderr).toContain(
      `; the files of litestream 0.3 there are older (up to ${old.toISOString()}) and were not used\n`,
    )
    expect(restored()).toEqual(states[2])
  })

  test('leaves nothing of a damaged replica: status 1', async () => {
    damage(`${replica.path}/${nameOf(3)}`)
    const { status, stderr } = await restore()
    expect([status, stderr]).toEqual([1, expect.stringContaining(nameOf(3))])
    expect(existsSync(directory.file('new.db'))).toBe(false)
    expect((await restore('--txid', txidOf(2))).status).toBe(0)
  })
})

describe('a replica in S3', () => {
  test('is listed, verified and restored as one on disk is', async () => {
    await using server = await S3Server.start()
    for (let txid = 1; txid <= 3; txid++) {
      const name = `${txidOf(txid)}-${txidOf(txid)}.ltx`
      server.put(`app/0000/${name}`, readFileSync(`${replica.path}/ltx/0/${name}`), {
        'litestream-timestamp': timeOf(txid).toISOString(),
      })
    }
    // The library warns of versions of Node that it is to leave behind.
    const env = { ...server.env, NODE_NO_WARNINGS: '1' }
    const s3 = async (action: string, ...args: string[]): Promise<Result> =>
      await howdah(['replica', action, 's3://replicas/app', ...args], { env })
    const { status, stdout, stderr } = await s3('ls')
    const { stdout: onDisk } = await howdah(['replica', 'ls', 'replica'])
    expect([status, stdout, stderr]).toEqual([0, onDisk.replaceAll('ltx/0/', '0000/'), ''])
    expect(await s3('verify')).toEqual({ status: 0, stdout: '', stderr: '3 files, all sound\n' })
    expect((await s3('restore', '--to', 'new.db', '--txid', txidOf(2))).status).toBe(0)
    expect(readFileSync(directory.file('new.db'))).toEqual(states[1])

    server.objects.delete(`app/0000/${txidOf(2)}-${txidOf(2)}.ltx`)
    const { status: wrong, stdout: json } = await s3('verify', '--json')
    expect([wrong, JSON.parse(json)]).toEqual([
      1,
      { files: 2, problems: [expect.objectContaining({ code: 'ERR_REPLICA_GAP' })] },
    ])
    const { status: missing, stderr: why } = await howdah(['replica', 'ls', 's3://other/app'], {
      env,
    })
    expect([missing, why]).toEqual([1, expect.stringContaining('there is no such bucket')])
  })
})

describe('a deleted current directory', () => {
  test('matters to relative paths only', async () => {
    const gone = directory.file('gone')
    mkdirSync(gone)
    const run = async (...paths: [string, string]) => {
      const [from, to] = paths
      const by = ['sh', '-c', 'rmdir "$PWD" && exec "$0" "$@"']
      return await start(gone, ['replica', 'restore', from, '--to', to], { by }).result
    }
    expect(await run(replica.path, directory.file('new.db'))).toMatchObject({ status: 0 })
    mkdirSync(gone)
    expect(await run('relative', directory.file('other.db'))).toEqual({
      status: 1,
      stdout: '',
      stderr: 'howdah: the current directory was deleted; change to another one\n',
    })
  })
})

test.each([
  [['mend', 'replica'], 'there is no such action'],
  [['ls'], 'missing required argument'],
  [['ls', 'gs://bucket/replica'], 'does not start with file://'],
  [['ls', 's3://localhost:9000/bucket/replica'], 'AWS_ENDPOINT_URL'],
  [['ls', 'replica', '--to', 'new.db'], '--to is for "restore"'],
  [['restore', 'replica'], 'say where to'],
  [['restore', 'replica', '--to', 'new.db', '--txid', '2'], 'It takes 16 hex digits'],
  [['restore', 'replica', '--to', 'new.db', '--time', 'noon'], 'write it as'],
  [['restore', 'replica', '--to', 'new.db', '--time', '2026-02-31T00:00:00Z'], 'write it as'],
  [
    ['restore', 'replica', '--to', 'x', '--txid', txidOf(1), '--time', '2026-03-01T00:00:00Z'],
    'exclude each other',
  ],
])('replica %j is used wrongly: status 2', async (args, why) => {
  const { status, stdout, stderr } = await said(...args)
  expect([status, stdout, stderr]).toEqual([2, '', expect.stringContaining(why)])
})
