import { describe, expect, it, type MockInstance, vi } from 'vitest'
import { LtxError } from '../src/index.ts'
import { knownFile, knownFiles } from './support/known-files.ts'
import { type Random, seededRandom, times } from '@howdah/fixtures'
import { read } from './support/read.ts'
import { manifest, orSkipped, readVector, vectorsAreHere } from './support/vectors.ts'

/** What the pages of a file are, or `null` if it is refused; anything but a refusal is thrown. */
async function pagesOf(bytes: Buffer): Promise<string | null> {
  try {
    const { content } = await read(bytes)
    return content.map((page) => `${page.number} ${page.data.toString('base64')}`).join()
  } catch (error) {
    if (error instanceof LtxError) return null
    throw error
  }
}

/** The lengths of those prefixes that are taken for a whole file. */
async function prefixesTaken(bytes: Buffer, lengths: Iterable<number>): Promise<number[]> {
  const taken = []
  for (const length of lengths) {
    if ((await pagesOf(bytes.subarray(0, length))) !== null) taken.push(length)
  }
  return taken
}

/** Those bits that can change without the file being refused, and yet other pages come out. */
async function bitsThatMatter(bytes: Buffer, bits: Iterable<number>): Promise<number[]> {
  const expected = await pagesOf(bytes)
  const matter = []
  for (const bit of bits) {
    const damaged = Buffer.from(bytes)
    damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    const pages = await pagesOf(damaged)
    if (pages !== null && pages !== expected) matter.push(bit)
  }
  return matter
}

/** The numbers below a limit: all of them if there are not more than so many, else so many at random. */
function* samples(limit: number, count: number): Generator<number> {
  const random = seededRandom(limit)
  if (count >= limit) for (let bit = 0; bit < limit; bit++) yield bit
  else for (let done = 0; done < count; done++) yield random.below(limit)
}

const sound = knownFiles.filter((name) => !name.startsWith('legacy-v2'))

describe('a damaged file', () => {
  it.for(sound)('is refused when it ends early, wherever: %s', async (name) => {
    const bytes = knownFile(name)
    expect(await prefixesTaken(bytes, samples(bytes.length, bytes.length))).toEqual([])
  })

  it.for(sound)(
    'is refused, or reads the same, when a bit changes, whichever: %s',
    async (name) => {
      const bytes = knownFile(name)
      const bits = bytes.length * 8
      expect(await bitsThatMatter(bytes, samples(bits, bits))).toEqual([])
    },
  )

  it('is not refused if nothing is damaged', async () => {
    for (const name of sound) expect(await pagesOf(knownFile(name))).not.toBeNull()
  })
})

describe.skipIf(!vectorsAreHere)(`of the reference implementation's files${orSkipped}`, () => {
  const names = [
    ...manifest.ltx.map((vector) => vector.file),
    ...[512, 4096, 65_536].map((size) => `legacy-v3frame-${size}.ltx`),
  ]
  // The names of skipped tests are made, too.
  const files = names.map((file) => {
    return { file, bytes: vectorsAreHere ? readVector(file) : Buffer.alloc(0) }
  })

  it.for(files.filter(({ bytes }) => bytes.length < 5_000))(
    'no proper prefix is taken for $file, and no changed bit',
    { timeout: 600_000 },
    async ({ bytes }) => {
      const bits = bytes.length * 8
      expect(await prefixesTaken(bytes, samples(bytes.length, bytes.length))).toEqual([])
      expect(await bitsThatMatter(bytes, samples(bits, times(1_000, bits)))).toEqual([])
    },
  )

  it.for(files.filter(({ bytes }) => bytes.length >= 5_000))(
    'no sampled prefix is taken for $file, and no changed bit',
    { timeout: 1_800_000 },
    async ({ bytes }) => {
      const count = times(100, 20_000)
      expect(await prefixesTaken(bytes, samples(bytes.length, count))).toEqual([])
      expect(await bitsThatMatter(bytes, samples(bytes.length * 8, count))).toEqual([])
    },
  )
})

describe('random input', () => {
  it(
    'is refused or read, without a crash, a hang, or more memory than a few pages',
    { tags: 'property', timeout: 1_800_000 },
    async () => {
      const random = seededRandom(5)
      const seeds = knownFiles.map(knownFile)
      const inputs = times(20_000, 200_000)
      let [refused, longest] = [0, 0]
      for (let done = 0; done < inputs; done++) {
        const input = randomInput(random, seeds)
        using allocated = new Allocated()
        if ((await pagesOf(input)) === null) refused++
        longest = Math.max(longest, allocated.longest)
      }
      expect(refused).toBeGreaterThan(inputs / 2)
      // What frames claim is gigabytes; the longest page has 64 KiB.
      expect(longest).toBeGreaterThan(0)
      expect(longest).toBeLessThanOrEqual(1024 * 1024)
    },
  )
})

/** Looks at what buffers are asked for, until it is disposed. */
class Allocated implements Disposable {
  /** In bytes. */
  longest = 0
  readonly #spies: MockInstance[]

  constructor() {
    this.#spies = (['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const).map((name) => {
      const real = Buffer[name].bind(Buffer)
      return vi.spyOn(Buffer, name).mockImplementation((size: number) => {
        this.longest = Math.max(this.longest, size)
        return real(size)
      })
    })
  }

  [Symbol.dispose](): void {
    for (const spy of this.#spies) spy.mockRestore()
  }
}

/** Bytes that are random, or a file that is damaged at random: changed, cut, torn, repeated, or spliced with another. */
function randomInput(random: Random, seeds: readonly Buffer[]): Buffer {
  if (random.below(10) === 0) {
    const noise = random.bytes(random.below(2_000))
    return random.below(2) === 0
      ? noise
      : Buffer.concat([random.pick(seeds).subarray(0, 100), noise])
  }
  let bytes = Buffer.from(random.pick(seeds))
  for (let damages = 1 + random.below(4); damages > 0; damages--) {
    const at = random.below(bytes.length + 1)
    switch (random.below(7)) {
      case 0:
        bytes = bytes.subarray(0, at)
        break
      case 1:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          random.bytes(random.below(40)),
          bytes.subarray(at),
        ])
        break
      case 2:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          random.pick(seeds).subarray(random.below(200)),
        ])
        break
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.below(40))])
        break
      case 4:
        bytes.subarray(at, at + random.below(8)).fill(random.pick([0x00, 0xff, 0x7f, 0x80]))
        break
      default:
        if (at < bytes.length) bytes[at] = random.below(256)
    }
  }
  return bytes
}
