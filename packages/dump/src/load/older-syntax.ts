/**
 * Translates a statement for a server of an older major. pg_dump writes the syntax of its own major. A dump can be loaded into the
 * older major that it came from if only these few words are replaced.
 *
 * Source: the release notes of 15 ("LOCALE_PROVIDER") and 13 ("LOCALE") for databases, of 11 ("EXECUTE FUNCTION", operators' "FUNCTION"), 14 ("streaming") and 16 ("run_as_owner").
 */
export function inOlderSyntax(statement: string, major: number): string {
  let text = statement
  if (major < 15) text = text.replace(libcDatabase, '$1')
  if (major < 13) text = text.replace(databaseLocale, '$1 LC_COLLATE = $2 LC_CTYPE = $2')
  if (major < 16 && /^create subscription\b/i.test(text))
    text = text.replace(/,\s*run_as_owner\s*=\s*\w+/i, '')
  if (major < 14 && /^create subscription\b/i.test(text))
    text = text.replace(/,\s*streaming\s*=\s*\w+/i, '')
  if (major < 11 && /^create (?:or replace )?(?:constraint |event )?trigger\b/i.test(text))
    text = text.replace(/\bexecute function(?=\s+\S+\([^;]*\)$)/i, 'EXECUTE PROCEDURE')
  if (major < 11 && /^create operator\b(?! class| family)/i.test(text))
    text = text.replace(/^(\s*)FUNCTION = /im, '$1PROCEDURE = ')
  return text
}

const begin = String.raw`^(create database .* with template = template0 encoding = '[^']*')`
const libcDatabase = new RegExp(`${begin} locale_provider = libc`, 'is')
const databaseLocale = new RegExp(`${begin} locale = ('(?:[^']|'')*')`, 'is')
