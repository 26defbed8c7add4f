import { postgres, type Server } from '@howdah/cluster'
import type { Runtime } from '@howdah/runtime'
import { asking } from '../source.ts'

/** What a cluster keeps for life, and its databases. */
export interface Facts {
  /** The name of the superuser that initdb made. */
  readonly bootstrap: string
  readonly checksums: boolean
  /** In megabytes. */
  readonly walSegmentSize: number
  /** That of `template0`, and so of what initdb makes. */
  readonly locale: Locale
  /** All but `template0`, by name. */
  readonly databases: readonly Database[]
}

interface Locale {
  readonly encoding: string
  readonly collate: string
  readonly ctype: string
  readonly provider: 'c' | 'i' | 'b'
  /** That of ICU or of PostgreSQL itself. */
  readonly name: string | null
  /** For ICU. */
  readonly rules: string | null
}

export interface Database {
  readonly name: string
  /** Whether one can connect to it. */
  readonly isOpen: boolean
  /** Whether DROP DATABASE was interrupted, after which only another DROP DATABASE is possible. */
  readonly isInvalid: boolean
}

/** Asks the server of the old cluster. */
export async function factsOf(server: Server): Promise<Facts> {
  const { major } = server.runtime.version
  return await asking(server, postgres, async (client) => {
    const provider = major < 15 ? `'c'` : 'datlocprovider'
    const name = major < 15 ? 'NULL' : major < 17 ? 'daticulocale' : 'datlocale'
    const rules = major < 16 ? 'NULL' : 'daticurules'
    const { rows } = await client.query<
      Omit<Facts, 'locale' | 'databases'> & { locale: Locale; databases: Database[] }
    >(
      `SELECT (SELECT rolname FROM pg_catalog.pg_roles WHERE oid = 10) AS bootstrap,
              current_setting('data_checksums') = 'on' AS checksums,
              pg_catalog.pg_size_bytes(current_setting('wal_segment_size'))::int / 1048576 AS "walSegmentSize",
              (SELECT json_build_object('encoding', pg_catalog.pg_encoding_to_char(encoding), 'collate', datcollate,
                        'ctype', datctype, 'provider', ${provider}::text, 'name', ${name}, 'rules', ${rules})
                 FROM pg_catalog.pg_database WHERE datname = 'template0') AS locale,
              (SELECT json_agg(json_build_object('name', datname, 'isOpen', datallowconn, 'isInvalid', datconnlimit = -2)
                        ORDER BY datname)
                 FROM pg_catalog.pg_database WHERE datname <> 'template0') AS databases`,
    )
    const [facts] = rows
    if (facts === undefined) throw new Error('the server says nothing about itself')
    return facts
  })
}

/** The arguments of initdb for a cluster of the same kind. */
export function kindOf(
  { locale, checksums, walSegmentSize }: Facts,
  { version }: Runtime,
): string[] {
  const { encoding, collate, ctype, provider, name, rules } = locale
  const { major } = version
  const providers = { c: 'libc', i: 'icu', b: 'builtin' }
  return [
    '--encoding',
    encoding,
    '--locale',
    'C',
    '--lc-collate',
    collate,
    '--lc-ctype',
    ctype,
    ...(major >= 15 ? ['--locale-provider', providers[provider]] : []),
    ...(provider === 'c' || name === null ? [] : [`--${providers[provider]}-locale`, name]),
    ...(rules === null ? [] : ['--icu-rules', rules]),
    // 18 has checksums unless told otherwise.
    ...(checksums ? ['--data-checksums'] : major >= 18 ? ['--no-data-checksums'] : []),
    ...(major >= 11 && walSegmentSize !== 16 ? ['--wal-segsize', String(walSegmentSize)] : []),
  ]
}

/**
 * Whether it is one of howdah's databases that nobody may connect to: a dropped database that "howdah undo" brings back, a
 * snapshot, or a template of `@howdah/testing`, which makes it again. They stay in the old cluster.
 */
export function isOurs({ name, isOpen }: Database): boolean {
  return !isOpen && /^howdah(?:-saved-|-snapshot-|_template_)/.test(name)
}

/** Whether a database is made in the new cluster. */
export function isCarried({ isOpen, isInvalid }: Database): boolean {
  return isOpen && !isInvalid
}
