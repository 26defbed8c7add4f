// Measures how many documents are transformed and entries saved a second, and how both slow down with the amount of data.
//
// HOWDAH_BENCH_SECONDS: how long each runs; HOWDAH_BENCH_DIR: on which disk; HOWDAH_BENCH_MOST: how many entries at most.
import { candidates, fill, grownDocument, state, variants } from './candidates.mjs'
import { figure, inDirectory, printTable, rate } from './measure.mjs'

const most = Number(process.env.HOWDAH_BENCH_MOST ?? 10_000)
const sizes = [10, 100, 1_000, 10_000].filter((size) => size <= most)

console.log(`node ${process.version}, ${candidates.map(({ name }) => name).join(', ')}`)

const rows = []
for (const { candidate, fsync } of variants) {
  const transformed = await inDirectory(async (directory) => {
    const document = candidate.document(directory, fsync)
    return rate((n) => document.transform((value) => void (value.items = [state(n)])))
  })
  const saved = await inDirectory(async (directory) => {
    const entries = await candidate.entries(directory, fsync)
    return rate((n) => entries.save(n))
  })
  rows.push([
    candidate.name,
    { false: 'no', file: 'of the file', true: 'yes' }[fsync],
    ...[transformed, saved].flatMap(({ perSecond, median }) => [figure(perSecond), figure(median)]),
  ])
}
printTable(
  'A small document transformed, an entry saved',
  ['', 'fsync', 'documents/s', 'median ms', 'entries/s', 'median ms'],
  rows,
)

const growing = { document: [], save: [], count: [], list: [] }
for (const candidate of candidates) {
  const [fsync] = candidate.fsync
  const medians = { document: [], save: [], count: [], list: [] }
  for (const size of sizes) {
    medians.document.push(
      await inDirectory(async (directory) => rate(await grownDocument(candidate, directory, size))),
    )
    // A candidate that rewrites all entries for each new one takes minutes to make 10,000.
    if (candidate.name.startsWith('conf') && size > 1_000) continue
    await inDirectory(async (directory) => {
      const entries = await candidate.entries(directory, fsync)
      await fill(entries, size)
      medians.count.push(await rate(() => entries.count()))
      medians.list.push(await rate(() => entries.list()))
      medians.save.push(await rate((n) => entries.save(size + n)))
    })
  }
  for (const [what, found] of Object.entries(medians))
    growing[what].push([candidate.name, ...sizes.map((_, at) => figure(found[at]?.median ?? null))])
}
const head = ['ms', ...sizes.map((size) => size.toLocaleString('en'))]
printTable(
  'A document of so many items transformed, without fsync if it can be done without',
  head,
  growing.document,
)
printTable('An entry saved beside so many', head, growing.save)
printTable('So many entries counted', head, growing.count)
printTable('So many entries listed and decoded', head, growing.list)
