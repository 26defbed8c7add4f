import { createHash, randomBytes } from 'node:crypto'

/**
 * The names of our databases and templates. They contain the facts that are needed before a label can be written. `place` is
 * the OID of the database with their locks, because advisory locks belong to one database (PostgreSQL, "Explicit Locking").
 */
const databasePattern = /^howdah_test_([0-9a-f]{10})_(\d+)_[0-9a-f]{12}$/
const templatePattern = /^howdah_template_[0-9a-f]{16}_(\d+)$/

/** A new name for a copy of a template. */
export function databaseName(template: string, place: string): string {
  return `howdah_test_${shortOf(template)}_${place}_${randomBytes(6).toString('hex')}`
}

/** The name of a template, from the hash of everything that it depends on. */
export function templateName(hash: string, place: string): string {
  return `howdah_template_${hash.slice(0, 16)}_${place}`
}

/** Parses a name; `null` for any other database. */
export function readName(
  name: string,
): { readonly kind: 'database' | 'template'; readonly place: string } | null {
  const [, , copyPlace] = databasePattern.exec(name) ?? []
  if (copyPlace !== undefined) return { kind: 'database', place: copyPlace }
  const [, templatePlace] = templatePattern.exec(name) ?? []
  return templatePlace === undefined ? null : { kind: 'template', place: templatePlace }
}

function shortOf(template: string): string {
  return createHash('sha256').update(template).digest('hex').slice(0, 10)
}

/** The key of the advisory lock of the owner of a database or template. */
export function lockKey(name: string): string {
  return createHash('sha256').update(`howdah ${name}`).digest().readBigInt64BE().toString()
}
