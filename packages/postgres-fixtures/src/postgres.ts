import { existsSync, readdirSync } from 'node:fs'
import { postgresMajors, postgresPackage } from '@howdah/fixtures'
import { bundled, onPath, type Strategy } from '@howdah/runtime'

/** A PostgreSQL to test against. */
export interface Subject {
  readonly name: string
  readonly major: number
  readonly strategy: Strategy
  /** For processes of a test's own: where it comes from. */
  readonly place: { readonly package: string } | { readonly bindir: string }
}

const packages = postgresMajors.flatMap((major): Subject[] => {
  const found = postgresPackage(major)
  if (found === null) return []
  const strategy = bundled({ packages: [found] })
  return [{ name: `bundled ${major}`, major, strategy, place: { package: found } }]
})

const debian = '/usr/lib/postgresql'
const system = (existsSync(debian) ? readdirSync(debian) : []).map((major): Subject => {
  const bindir = `${debian}/${major}/bin`
  const strategy = onPath([bindir])
  return { name: `system ${major}`, major: Number(major), strategy, place: { bindir } }
})

/** Every PostgreSQL that is here: those from npm, and the system's. */
export const everyPostgres: readonly Subject[] = [
  ...packages,
  ...system.filter(({ major }) => major >= 10),
]

/**
 * Those that a slow test runs against: the oldest, the newest, and one by chance, which the test's name tells.
 *
 * `HOWDAH_TEST_MAJORS=13,16` names others, so that a failure can be repeated; `HOWDAH_TEST_LONG=1` takes every one.
 */
export const somePostgres: readonly Subject[] = (() => {
  if (process.env['HOWDAH_TEST_LONG'] === '1') return everyPostgres
  const named = process.env['HOWDAH_TEST_MAJORS']?.split(',').map(Number)
  if (named !== undefined) return everyPostgres.filter(({ major }) => named.includes(major))
  const chance = 1 + Math.floor(Math.random() * (everyPostgres.length - 2))
  const byAge = everyPostgres.toSorted((one, other) => one.major - other.major)
  return byAge.filter((_one, place) => [0, chance, byAge.length - 1].includes(place))
})()

/** The newest of them. */
export const newest: Subject = (() => {
  const last = packages.at(-1) ?? system.at(-1)
  if (last === undefined) throw new Error('there is no PostgreSQL here to test against')
  return last
})()
