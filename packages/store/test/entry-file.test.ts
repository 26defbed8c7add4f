import { linuxOnly, temporaryDirectory } from '@howdah/fixtures'
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { EntryId, Store, type Entry } from '../src/index.ts'
import { caught } from './support/caught.ts'
import { numberSchema } from './support/shape.ts'

async function savedEntry(base: string): Promise<Entry<{ n: number }>> {
  const store = new Store(base, { schema: numberSchema(), durable: false })
  return (await store.segment(7)).save({ n: 1 }, { kind: 3 })
}

/** Corrects the header of an entry after its body was changed. */
function reseal(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(bytes.length - 16, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(16), crc32(bytes.subarray(0, 12))), 12)
  return bytes
}

describe('the file of an entry', () => {
  test('is 0600 and is a header and a JSON body, as the specification lays it out', async () => {
    using directory = temporaryDirectory()
    const entry = await savedEntry(directory.path)
    const bytes = readFileSync(directory.file('7', entry.name))
    expect(statSync(entry.path).mode & 0o777).toBe(0o600)
    expect(bytes.toString('hex', 0, 8)).toBe('00ffcafe000103fc')
    expect(bytes.readUInt32BE(8)).toBe(bytes.length - 16)
    expect(JSON.parse(bytes.toString('utf8', 16))).toMatchObject({
      id: entry.name,
      kind: 3,
      process: { pid: process.pid },
      state: { n: 1 },
    })
  })

  const damages: [string, (bytes: Buffer) => Buffer, string, string, boolean][] = [
    ['0 bytes', (b) => b.subarray(0, 0), 'empty', 'its file is empty', false],
    ['1 byte', (b) => b.subarray(0, 1), 'truncated', 'ends after 1 of the 16 bytes', false],
    ['7 bytes', (b) => b.subarray(0, 7), 'truncated', 'ends after 7 of the 16 bytes', false],
    ['8 bytes', (b) => b.subarray(0, 8), 'truncated', 'ends after 8 of the 16 bytes', true],
    ['9 bytes', (b) => b.subarray(0, 9), 'truncated', 'ends after 9 of the 16 bytes', true],
    ['another magic', (b) => b.fill(1, 0, 1), 'magic', 'begins with 01ffcafe, not 00ffcafe', false],
    [
      'another kind',
      (b) => b.fill(4, 6, 7),
      'complement',
      "kind 4 and that kind's complement 252",
      false,
    ],
    ['another length', (b) => b.fill(9, 11, 12), 'length', 'its header says 9', true],
    ['a byte less', (b) => b.subarray(0, -1), 'length', 'bytes, and its header says', true],
    ['a byte more', (b) => Buffer.concat([b, b.subarray(0, 1)]), 'length', 'its header says', true],
    ['another checksum', (b) => b.fill(0, 12, 16), 'checksum', 'its header says 00000000', true],
    ['another body', (b) => b.fill('#', 20, 21), 'checksum', 'its checksum is', true],
    [
      'a body that is not JSON',
      (b) => reseal(b.fill('#', 16, 17)),
      'body',
      'does not decode',
      true,
    ],
    [
      'a body that is not an object',
      (b) => reseal(Buffer.concat([b.subarray(0, 16), Buffer.from('17')])),
      'body',
      'its body is not an object',
      true,
    ],
    [
      'a body that is null',
      (b) => reseal(Buffer.concat([b.subarray(0, 16), Buffer.from('null')])),
      'body',
      'its body is not an object',
      true,
    ],
    [
      'a body without a process',
      (b) => reseal(Buffer.from(b.toString('latin1').replace('"process"', '"someone"'), 'latin1')),
      'body',
      'its body names no process',
      true,
    ],
    [
      'another kind in header and checksum',
      (b) => reseal(b.fill(4, 6, 7).fill(251, 7, 8)),
      'kind',
      'its header says kind 4, and its body kind 3',
      true,
    ],
  ]

  test.each(damages)('with %s is refused with a message of its own', async (...row) => {
    const [, damage, what, why, kindIsTold] = row
    using directory = temporaryDirectory()
    const entry = await savedEntry(directory.path)
    writeFileSync(entry.path, damage(readFileSync(entry.path)))

    const error = await caught(() => entry.load())
    expect(error).toMatchObject({ code: 'ERR_STORE_ENTRY_DAMAGED', damage: what, path: entry.path })
    expect(error.message).toContain(why)
    expect(error.message).toContain(`cannot load entry ${entry.name} of store segment 7`)
    const kind = await entry.kind().catch(({ message }: Error) => message)
    expect(kindIsTold ? typeof kind : kind).toContain(kindIsTold ? 'number' : why)
  })

  test('of a later revision is refused without calling it damaged', async () => {
    using directory = temporaryDirectory()
    const entry = await savedEntry(directory.path)
    writeFileSync(entry.path, reseal(readFileSync(entry.path).fill(2, 5, 6)))
    const error = await caught(() => entry.load())
    expect(error.code).toBe('ERR_STORE_ENTRY_REVISION')
    expect(error.message).toContain('it has revision 2, and this version reads revision 1')
    expect((await caught(() => entry.kind())).code).toBe('ERR_STORE_ENTRY_REVISION')
  })

  test('that was copied to another name is refused', async () => {
    using directory = temporaryDirectory()
    const entry = await savedEntry(directory.path)
    const other = EntryId.create().text
    copyFileSync(entry.path, directory.file('7', other))
    const segment = await new Store(directory.path).segment(7)
    const found = await segment.transaction(async (locked) => locked.entries())
    const error = await caught(() => found.find(({ name }) => name === other)!.load())
    expect(error).toMatchObject({ code: 'ERR_STORE_ENTRY_DAMAGED', damage: 'id' })
  })

  test.each([
    ['a link to it', (path: string) => symlinkSync(`${path}.moved`, path)],
    ['a directory', (path: string) => mkdirSync(path)],
  ])('that was replaced by %s since it was listed is not read', async (_, replace) => {
    using directory = temporaryDirectory()
    const entry = await savedEntry(directory.path)
    renameSync(entry.path, `${entry.path}.moved`)
    replace(entry.path)
    for (const action of [() => entry.load(), () => entry.kind()]) {
      const error = await caught(action)
      expect(error).toMatchObject({ code: 'ERR_STORE_IO', path: entry.path })
    }
  })

  test('is closed when it was read, or refused', linuxOnly('/proc/self/fd'), async () => {
    using directory = temporaryDirectory()
    const entry = await savedEntry(directory.path)
    await entry.load()
    writeFileSync(entry.path, '')
    await caught(() => entry.load())
    const open = readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === entry.path
      } catch {
        return false
      }
    })
    expect(open).toEqual([])
  })

  test('tells its kind from the header alone, even if the body is lost', async () => {
    using directory = temporaryDirectory()
    const entry = await savedEntry(directory.path)
    writeFileSync(entry.path, readFileSync(entry.path).subarray(0, 8))
    expect(await entry.kind()).toBe(3)
  })
})
