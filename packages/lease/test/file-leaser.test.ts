// Mostly waits: for leases to end.
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { Crew, type Attempt } from './crew.ts'
import { describeLeaser, type LeaserContext } from './describe-leaser.ts'
import type { Place } from './open-leaser.mjs'

describeLeaser('a directory', makeContext, { rounds: 10, races: 80, cycles: 160 })

async function makeContext(): Promise<LeaserContext> {
  const directory = temporaryDirectory()
  let places = 0
  return {
    place: (options = {}): Place => ({
      backend: 'file',
      dir: directory.path,
      path: `${places++}/lock.json`,
      ttl: 1_000,
      maxTtl: 1_000,
      clockSkew: 500,
      ...options,
    }),
    // Each judges by its own clock, so those of all go on.
    expire: async (place) => ({
      ...place,
      clockOffset: (place.clockOffset ?? 0) + place.ttl + 60_000,
    }),
    corruptions: {
      garbage: async (place) => writeFileSync(newest(place), '\0\u0001 no lease'),
      empty: async (place) => truncateSync(newest(place), 0),
      truncated: async (place) => truncateSync(newest(place), 30),
      'no object': async (place) => writeFileSync(newest(place), '[]'),
      'no generation': async (place) => rewrite(place, /"generation":\d+/, '"generation":"one"'),
      'no time': async (place) => rewrite(place, /"expires_at":"[^"]*"/, '"expires_at":"soon"'),
      'an end too far away': async (place) => {
        const end = new Date(Date.now() + 3_600_000).toISOString()
        rewrite(place, /"expires_at":"[^"]*"/, `"expires_at":"${end}"`)
      },
    },
    [Symbol.asyncDispose]: async () => directory[Symbol.dispose](),
  }
}

test('a lease by read, compare and rename has two winners soon: the negative control', async () => {
  using directory = temporaryDirectory()
  await using crew = new Crew(8)
  const winners: number[] = []
  for (let round = 0; round < 300 && !winners.some((count) => count > 1); round++) {
    const place: Place = {
      backend: 'naive',
      dir: directory.path,
      path: `${round}.json`,
      ttl: 60_000,
    }
    const results = await crew.all<Attempt[]>('contend', { place, count: 2 })
    winners.push(results.flat().filter(({ ok }) => ok).length)
  }
  expect(Math.max(...winners)).toBeGreaterThan(1)
})

/** The record that decides. */
function newest(place: Place): string {
  const file = join(String(place['dir']), String(place['path']))
  const numbers = readdirSync(join(file, '..')).flatMap(
    (name) => /^lock\.json\.(\d+)$/.exec(name)?.[1] ?? [],
  )
  return `${file}.${Math.max(...numbers.map(Number))}`
}

function rewrite(place: Place, pattern: RegExp, replacement: string): void {
  const path = newest(place)
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.replace(pattern, replacement))
}
