import { seededRandom, times } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { chainsToAll, farthestChain, type ChainLink } from '../src/ltx/ltx-chain.ts'

type File = { level: number; minTxid: bigint; maxTxid: bigint }
const file = (level: number, min: number, max: number): File => ({
  level,
  minTxid: BigInt(min),
  maxTxid: BigInt(max),
})
const told = ({ level, minTxid, maxTxid }: File) => `${level}: ${minTxid} to ${maxTxid}`
const chain = async (files: File[], eligible?: (one: File) => boolean) => {
  const { files: found, reached } = await farthestChain(files, eligible)
  return [...found.map(told), `reaches ${reached}`]
}
/** The files to a link, first to last. */
const filesTo = (link: ChainLink<File> | null): File[] =>
  link === null ? [] : [...filesTo(link.before), link.file]

describe('the farthest chain', () => {
  it('of no files reaches nothing, and neither does one without the first transaction', async () => {
    expect(await chain([])).toEqual(['reaches 0'])
    expect(await chain([file(0, 2, 3)])).toEqual(['reaches 0'])
  })

  it('continues with the file that reaches farthest, then with the highest level, then with the one that begins first', async () => {
    expect(await chain([file(0, 1, 1), file(1, 1, 5), file(0, 2, 2)])).toEqual([
      '1: 1 to 5',
      'reaches 5',
    ])
    expect(await chain([file(2, 1, 1), file(0, 1, 4), file(3, 1, 4), file(1, 1, 4)])).toEqual([
      '3: 1 to 4',
      'reaches 4',
    ])
    const all = [file(0, 1, 2), file(0, 3, 9), file(0, 2, 9), file(0, 3, 4)]
    expect(await chain(all)).toEqual(['0: 1 to 2', '0: 2 to 9', 'reaches 9'])
    expect(await chain(all.toReversed())).toEqual(['0: 1 to 2', '0: 2 to 9', 'reaches 9'])
  })

  it('takes files that adjoin or overlap, and ends at a gap', async () => {
    const all = [file(0, 1, 2), file(0, 3, 4), file(0, 4, 6), file(0, 8, 9)]
    expect(await chain(all)).toEqual(['0: 1 to 2', '0: 3 to 4', '0: 4 to 6', 'reaches 6'])
  })

  it('skips files that are not eligible, and asks only about files that may be next', async () => {
    const all = [file(1, 1, 5), file(0, 1, 2), file(0, 3, 3), file(0, 6, 7), file(0, 9, 9)]
    const asked: string[] = []
    const eligible = (one: File) => {
      asked.push(told(one))
      return one.level === 0 && one.minTxid !== 3n
    }
    expect(await chain(all, eligible)).toEqual(['0: 1 to 2', 'reaches 2'])
    expect(asked).toEqual(['1: 1 to 5', '0: 1 to 2', '1: 1 to 5', '0: 3 to 3'])
    expect(await chain(all)).toEqual(['1: 1 to 5', '0: 6 to 7', 'reaches 7'])
  })
})

describe('the chains to all transactions', () => {
  it('are equal to the farthest chain for each transaction if no later file is eligible', async () => {
    const random = seededRandom(31)
    let found = 0
    for (let round = 0; round < 100 + times(400, 40_000); round++) {
      const files = Array.from({ length: random.below(9) }, () => {
        const min = 1 + random.below(8)
        return file(random.below(3), min, min + random.below(4))
      })
      const expected: string[][] = []
      for (let end = 1n; end <= 12n; end++) {
        const until = files.filter(({ maxTxid }) => maxTxid <= end)
        const { files: best, reached } = await farthestChain(until)
        if (reached === end) expected.push(best.map(told))
      }
      const links = chainsToAll(files)
      expect([files.map(told), links.map((link) => filesTo(link).map(told))]).toEqual([
        files.map(told),
        expected,
      ])
      found += links.length
    }
    expect(found).toBeGreaterThan(100)
  })

  it('are none if there are no files', () => {
    expect(chainsToAll([])).toEqual([])
    expect(chainsToAll([file(0, 2, 2)])).toEqual([])
  })
})
