import { escapeLiteral } from 'pg'
import { commandNames } from '../commands/commands.ts'
import type { Unfinished } from '../scanning/query-scanner.ts'
import type { Shell } from '../state/shell.ts'
import { keywords } from './keywords.ts'

/** Completes what is typed: keywords of SQL, tables and their columns, commands, variables and databases. */
export class Completion {
  /** What the query so far ends in. */
  unfinished: Unfinished = '='
  readonly #shell: Shell
  /** The lines of the query so far. */
  #before = ''

  constructor(shell: Shell) {
    this.#shell = shell
  }

  /** Takes notice of a line. */
  took(line: string, unfinished: Unfinished): void {
    this.#before = unfinished === '=' ? line : `${this.#before}\n${line}`
  }

  /** The completions of the last word of a line, and that word. */
  async of(line: string): Promise<[completions: string[], word: string]> {
    const word = /[\p{L}\p{N}_$."\\:!?]*$/u.exec(line)?.[0] ?? ''
    const before = line.slice(0, line.length - word.length)
    try {
      const found = await this.#candidates(word, before)
      return [found.filter((one) => startsWith(one, word)).toSorted(), word]
    } catch {
      // What cannot be asked now, as in a failed transaction, is not completed.
      return [[], word]
    }
  }

  async #candidates(word: string, before: string): Promise<string[]> {
    if (word === '' && before.trim() === '' && this.unfinished === '=') return []
    if (word.startsWith('\\')) return commandNames().map((name) => `\\${name}`)
    if (/^:[\p{L}\p{N}_]*$/u.test(word))
      return [...this.#shell.variables].map(([name]) => `:${name}`)
    const [, command, argument = ''] = /^\s*\\(\S+)\s+(.*)$/su.exec(before + word) ?? []
    if (command !== undefined) return await this.#arguments(command, argument)
    const query = this.#unfinishedQuery()
    const whole = `${query} ${before}`
    if (
      /\b(?:from|join|into|update|table|truncate|view|analyze|vacuum|copy|references)\s+(?:only\s+|if\s+exists\s+)?(?:[\w."]+\s*,\s*)*$/i.test(
        whole,
      )
    )
      return await this.#relations()
    const columns = /\b(?:select|where|by|set|on|and|or|returning|having|,|\(|=|<|>)/i.test(whole)
      ? await this.#columns(`${whole} ${word}`)
      : []
    return [...columns, ...inCaseOf(word, this.#shell.variables.get('COMP_KEYWORD_CASE') ?? '')]
  }

  #unfinishedQuery(): string {
    return this.unfinished === '=' ? '' : this.#before
  }

  async #arguments(command: string, argument: string): Promise<string[]> {
    if (/^(?:c|connect|l|list)\+?$/.test(command))
      return await this.#names('SELECT datname FROM pg_catalog.pg_database WHERE datallowconn')
    if (/^(?:x|timing)$/.test(command)) return ['on', 'off', ...(command === 'x' ? ['auto'] : [])]
    if (/^(?:set|unset)$/.test(command) && !/\s/.test(argument))
      return [...this.#shell.variables].map(([name]) => name)
    if (/^d[nu]/.test(command))
      return await this.#names(
        command.startsWith('dn')
          ? 'SELECT nspname FROM pg_catalog.pg_namespace'
          : 'SELECT rolname FROM pg_catalog.pg_roles',
      )
    if (/^(?:d|copy)/.test(command)) return await this.#relations()
    return []
  }

  /** Tables and views, by their names if these are found so, and else with their schemas; and schemas. */
  async #relations(): Promise<string[]> {
    return await this.#names(`
      SELECT pg_catalog.quote_ident(relname) FROM pg_catalog.pg_class
        WHERE relkind IN ('r', 'v', 'm', 'f', 'p') AND pg_catalog.pg_table_is_visible(oid)
          AND relnamespace <> 'pg_catalog'::pg_catalog.regnamespace
      UNION ALL
      SELECT pg_catalog.quote_ident(nspname) || '.' || pg_catalog.quote_ident(relname)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
        WHERE relkind IN ('r', 'v', 'm', 'f', 'p') AND nspname !~ '^pg_(?:toast|temp)'`)
  }

  /** The columns of the tables that a query names. */
  async #columns(query: string): Promise<string[]> {
    const names = new Set(query.match(/[\p{L}_][\p{L}\p{N}_$]*|"(?:[^"]|"")+"/gu) ?? [])
    if (names.size === 0) return []
    const list = [...names].map((name) =>
      escapeLiteral(
        name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase(),
      ),
    )
    return await this.#names(`
      SELECT DISTINCT pg_catalog.quote_ident(attname) FROM pg_catalog.pg_attribute
        JOIN pg_catalog.pg_class c ON c.oid = attrelid
        WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'v', 'm', 'f', 'p')
          AND relname IN (${list.join(', ')})`)
  }

  async #names(query: string): Promise<string[]> {
    const { connection } = this.#shell
    if (connection === null || connection.running || connection.transaction === 'failed') return []
    const { rows } = await connection.ask(query)
    return [...new Set(rows.flatMap(([name]) => name ?? []))]
  }
}

function startsWith(candidate: string, word: string): boolean {
  return candidate.toLowerCase().startsWith(word.toLowerCase())
}

/** The keywords, in the case that COMP_KEYWORD_CASE asks for. */
function inCaseOf(word: string, rule: string): readonly string[] {
  const isLower =
    rule === 'lower' ||
    (rule === 'preserve-lower' && !/^[A-Z]/.test(word)) ||
    (rule === 'preserve-upper' && /^[a-z]/.test(word))
  return isLower ? keywords.map((keyword) => keyword.toLowerCase()) : keywords
}
