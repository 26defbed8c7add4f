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

/** Every PostgreSQL that can be had here: those from npm, and the system's. */
export const everyPostgres: readonly Subject[] = [
  ...packages,
  ...system.filter(({ major }) => major >= 10),
]

/** The newest of them. */
export const newest: Subject = (() => {
  const last = packages.at(-1) ?? system.at(-1)
  if (last === undefined) throw new Error('there is no PostgreSQL here to test against')
  return last
})()
