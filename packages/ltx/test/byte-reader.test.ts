import { Random } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { ByteReader, type ByteSource } from '../src/codec/byte-reader.ts'

const data = new Random(41).bytes(200)

/** The data in chunks of these sizes, again and again. */
function* chunks(...sizes: number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < data.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 0
    yield data.subarray(at, at + size)
    at += size
  }
}

async function* later(source: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* source
}

const sources: [string, () => ByteSource][] = [
  ['all at once', () => data],
  ['byte by byte', () => chunks(1)],
  ['in chunks, some of which are empty', () => chunks(7, 0, 0, 64)],
  ['in one chunk', () => chunks(data.length)],
  ['later', () => later(chunks(3, 50))],
]

describe.each(sources)('bytes that come %s', (_, source) => {
  it('are taken in any lengths, each once, and counted from where the source begins', async () => {
    const reader = new ByteReader(source(), 1_000)
    const taken: Buffer[] = []
    for (const length of [0, 1, 30, 2, 0, 67, 100]) {
      await reader.fill(length)
      expect(reader.available).toBeGreaterThanOrEqual(length)
      const seen = Buffer.from(reader.peek(length))
      const { offset } = reader
      taken.push(Buffer.from(reader.take(length)))
      expect(taken.at(-1)?.equals(seen)).toBe(true)
      expect(reader.offset).toBe(offset + length)
    }
    expect(Buffer.concat(taken).equals(data)).toBe(true)
    expect(reader.offset).toBe(1_200)
    expect(await reader.atEnd()).toBe(true)
    expect(await reader.atEnd()).toBe(true)
  })

  it('end where they end: more is refused, with the place of the end', async () => {
    const reader = new ByteReader(source(), 1_000)
    await reader.fill(150)
    reader.take(150)
    expect(await reader.atEnd()).toBe(false)
    await expect(reader.fill(51)).rejects.toMatchObject({
      code: 'ERR_LTX_TRUNCATED',
      offset: 1_200,
    })
  })
})

describe('a source', () => {
  it('may be a part of a larger buffer', async () => {
    const part = new Uint8Array(data.buffer, data.byteOffset + 10, 20)
    const reader = new ByteReader([part])
    await reader.fill(20)
    expect(Buffer.from(reader.take(20)).equals(data.subarray(10, 30))).toBe(true)
    expect(await reader.atEnd()).toBe(true)
  })

  it('of text is refused', async () => {
    const reader = new ByteReader(['text'] as unknown as ByteSource)
    await expect(reader.fill(1)).rejects.toMatchObject({ code: 'ERR_LTX_OPTION' })
  })

  it('that is not read to its end is closed, once; one that has ended is not', async () => {
    const closed: string[] = []
    function* watched(name: string): Generator<Buffer> {
      try {
        yield* chunks(100)
      } finally {
        closed.push(name)
      }
    }
    const reader = new ByteReader(watched('left'))
    await reader.fill(10)
    await reader.close()
    await reader.close()
    expect(closed).toEqual(['left'])
    expect(reader.available).toBe(0)
    await expect(reader.fill(1)).rejects.toMatchObject({ code: 'ERR_LTX_TRUNCATED' })

    let returns = 0
    const source = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: true as const, value: undefined }),
        return: () => {
          returns++
          return { done: true as const, value: undefined }
        },
      }),
    }
    const ended = new ByteReader(source)
    expect(await ended.atEnd()).toBe(true)
    await ended.close()
    expect(returns).toBe(0)
  })

  it('is closed once, and asked no more, however often the reader is closed', async () => {
    const calls: string[] = []
    const source = {
      [Symbol.iterator]: () => ({
        next: () => {
          calls.push('next')
          return { done: false as const, value: data }
        },
        return: () => {
          calls.push('return')
          return { done: true as const, value: undefined }
        },
      }),
    }
    const reader = new ByteReader(source)
    await reader.fill(1)
    await reader.close()
    await reader.close()
    expect(await reader.atEnd()).toBe(true)
    await expect(reader.fill(1)).rejects.toMatchObject({ code: 'ERR_LTX_TRUNCATED' })
    expect(calls).toEqual(['next', 'return'])
  })

  it('is asked no more once it has ended', async () => {
    let asked = 0
    const source = {
      [Symbol.iterator]: () => ({
        next: () => {
          asked++
          return { done: true as const, value: undefined }
        },
      }),
    }
    const reader = new ByteReader(source)
    for (let times = 0; times < 3; times++) expect(await reader.atEnd()).toBe(true)
    expect(asked).toBe(1)
  })
})
