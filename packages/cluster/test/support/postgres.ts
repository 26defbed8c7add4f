import { existsSync, readdirSync } from 'node:fs'
import { postgresMajors, postgresPackage } from '@howdah/fixtures'
import { bundled, onPath, type Strategy } from '@howdah/runtime'

/** A PostgreSQL to test against. */
export interface Subject {
  readonly name: string
  readonly major: number
  readonly strategy: Strategy
}

const packages = postgresMajors.flatMap((major): Subject[] => {
  const found = postgresPackage(major)
  return found === null
    ? []
    : [{ name: `bundled ${major}`, major, strategy: bundled({ packages: [found] }) }]
})

const debian = '/usr/lib/postgresql'
const system = (existsSync(debian) ? readdirSync(debian) : []).map((major): Subject => {
  return {
    name: `system ${major}`,
    major: Number(major),
    strategy: onPath([`${debian}/${major}/bin`]),
  }
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

/** The strategy that finds one major alone. */
export function only(major: number): Strategy {
  const found = everyPostgres.find((one) => one.major === major)
  if (found === undefined) throw new Error(`there is no PostgreSQL ${major} here to test against`)
  return found.strategy
}
