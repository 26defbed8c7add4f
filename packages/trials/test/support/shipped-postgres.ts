import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundled } from '@howdah/runtime'
import type { Subject } from '@howdah/postgres-fixtures'

/** The template in a package of PostgreSQL. */
export const templateIn = (path: string): string =>
  join(path, 'native/share/postgresql/howdah.template.gz')

/** The PostgreSQL that we publish for this platform, if it was assembled here with a template. */
export const shippedPostgres: readonly Subject[] = (() => {
  const platform = `${process.platform}-${process.arch}`
  const path = fileURLToPath(new URL(`../../../postgres/platforms/${platform}`, import.meta.url))
  return existsSync(templateIn(path)) ? [inPackage(path)] : []
})()

/** The PostgreSQL of a package in a directory. */
export function inPackage(path: string): Subject {
  const strategy = bundled({ packages: [path] })
  return { name: 'published 18', major: 18, strategy, place: { package: path } }
}

/** Copies a package of PostgreSQL. */
export function copyPackage({ place }: Subject, to: string): void {
  if (!('package' in place)) throw new Error('it is not in a package')
  execFileSync('cp', ['-rL', place.package, to])
}
