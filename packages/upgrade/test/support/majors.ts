import { bundled, type Strategy } from '@howdah/runtime'
import { everyPostgres, type Subject } from '@howdah/postgres-fixtures'

/** From which major to which other one. */
export interface Pair {
  readonly name: string
  readonly from: number
  readonly to: number
}

const majors = [
  ...new Set(everyPostgres.filter(({ place }) => 'package' in place).map(({ major }) => major)),
].toSorted((one, other) => one - other)

/** The directories of the npm packages of some majors. */
export function packagesOf(...wanted: number[]): string[] {
  return everyPostgres.flatMap(({ major, place }: Subject) =>
    wanted.includes(major) && 'package' in place ? [place.package] : [],
  )
}

/** Finds only these majors. */
export function only(...wanted: number[]): Strategy {
  return bundled({ packages: packagesOf(...wanted) })
}

/**
 * The oldest to the newest, the one of Debian 12 to the newest, and one by chance; `HOWDAH_TEST_LONG=1` takes all there are,
 * and `HOWDAH_TEST_MAJORS=13,16` that one.
 */
export const pairs: readonly Pair[] = (() => {
  const all = majors.flatMap((from) => majors.filter((to) => to > from).map((to) => pair(from, to)))
  if (process.env['HOWDAH_TEST_LONG'] === '1') return all
  const [from, to] = process.env['HOWDAH_TEST_MAJORS']?.split(',').map(Number) ?? []
  if (from !== undefined && to !== undefined) return [pair(from, to)]
  const newest = majors.at(-1) ?? 18
  const fixed = [pair(majors[0] ?? 10, newest), pair(15, newest)]
  const others = all.filter(({ name }) => !fixed.some((one) => one.name === name))
  return [...fixed, ...others.slice(Math.floor(Math.random() * others.length)).slice(0, 1)]
})()

function pair(from: number, to: number): Pair {
  return { name: `${from} to ${to}`, from, to }
}
