/** One of psql's backslash commands that occur in dumps. */
export type Command =
  | { readonly kind: 'restrict' | 'unrestrict'; readonly token: string }
  | { readonly kind: 'connect'; readonly database: string }
  | { readonly kind: 'echo' }
  | { readonly kind: 'unknown' }

/** Source: "Meta-Commands" in the manual's page on psql. */
export function readCommand(line: string): Command {
  const [, name, rest = ''] = /^\\(\S+)\s*(.*)$/s.exec(line.trim()) ?? []
  switch (name) {
    case 'restrict':
    case 'unrestrict':
      return { kind: name, token: rest }
    case 'c':
    case 'connect':
      return connection(rest)
    case 'encoding':
      // pg_dump writes SQL_ASCII before `\connect` with an odd name, for psql alone; the new connection has another one again.
      return /^'?(?:utf-?8|unicode|sql_ascii)'?$/i.test(rest)
        ? { kind: 'echo' }
        : { kind: 'unknown' }
    case 'echo':
    case 'qecho':
      return { kind: 'echo' }
    case undefined:
    default:
      return { kind: 'unknown' }
  }
}

/** A name, plain, in either kind of quotes, or as `dbname='…'` in a connection string, as pg_dump writes unusual ones. */
function connection(rest: string): Command {
  const words = rest.replace(/^-reuse-previous=on\s+/, '')
  const [, inString] = /^"dbname='((?:[^'\\]|\\.)*)'"$/s.exec(words) ?? []
  if (inString !== undefined)
    return { kind: 'connect', database: inString.replaceAll(/\\(.)/gs, '$1').replaceAll('""', '"') }
  const [, double, single, plain] =
    /^(?:"((?:[^"]|"")+)"|'((?:[^']|'')+)'|([^\s'"]+))$/s.exec(words) ?? []
  if (double !== undefined) return { kind: 'connect', database: double.replaceAll('""', '"') }
  if (single !== undefined) return { kind: 'connect', database: single.replaceAll("''", "'") }
  if (plain !== undefined && plain !== '-') return { kind: 'connect', database: plain }
  return { kind: 'unknown' }
}
