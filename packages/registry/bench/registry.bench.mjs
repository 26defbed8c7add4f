// How long the calls of a registry take, with and without fsync, and how that grows with the allocations that are there.
//
// HOWDAH_BENCH_SECONDS: how long each runs; HOWDAH_BENCH_DIR: on which disk; HOWDAH_BENCH_MOST: how many at most.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { filledRegistry, registerAndRelease } from './support/filled-registry.mjs'

const seconds = Number(process.env.HOWDAH_BENCH_SECONDS ?? 1)
const most = Number(process.env.HOWDAH_BENCH_MOST ?? 10_000)
const sizes = [10, 100, 1_000, 10_000].filter((size) => size <= most)

console.log(`node ${process.version}\n`)
console.log(`| median ms | ${sizes.map((size) => size.toLocaleString('en')).join(' | ')} |`)
console.log(`| --- | ${sizes.map(() => '---:').join(' | ')} |`)

const rows = new Map()
for (const size of sizes) {
  for (const durable of [false, true]) {
    const directory = mkdtempSync(join(process.env.HOWDAH_BENCH_DIR ?? tmpdir(), 'howdah-bench-'))
    try {
      await measure(directory, size, durable)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
}
for (const [name, medians] of rows) {
  const figures = medians.map((ms) => Number(ms.toPrecision(3)).toLocaleString('en'))
  console.log(`| ${name} | ${figures.join(' | ')} |`)
}

async function measure(directory, size, durable) {
  const registry = await filledRegistry(directory, size, durable)
  const how = durable ? ' (fsync)' : ''
  await row(`register and release${how}`, (n) => registerAndRelease(registry, n))
  if (durable) return
  await row('ownerOf', () => registry.ownerOf(`/bench/${size >> 1}/file`))
  await row('list', () => registry.list())
}

async function row(name, action) {
  await action(0)
  const times = []
  const end = performance.now() + seconds * 1000
  for (let n = 1, now = performance.now(); now < end; n++) {
    await action(n)
    const then = now
    now = performance.now()
    times.push(now - then)
  }
  times.sort((one, other) => one - other)
  rows.set(name, [...(rows.get(name) ?? []), times[Math.floor(times.length / 2)]])
}
