import type pg from 'pg'

/**
 * The settings that a server knows. A newer pg_dump begins each dump with settings that an older server may not know, and these are
 * skipped.
 */
export class KnownSettings {
  readonly #names = new Set<string>()

  async learn(client: pg.Client): Promise<void> {
    const { rows } = await client.query<{ name: string }>('SELECT name FROM pg_catalog.pg_settings')
    for (const { name } of rows) this.#names.add(name.toLowerCase())
  }

  /** A setting that a statement sets and the server does not know, and its value; `null` for any other statement. */
  unknownIn(statement: string): { name: string; value: string } | null {
    const [, name = '', value = ''] =
      /^set\s+(?:session\s+|local\s+)?(\w+)\s*(?:=|\sto\s)\s*(.*)$/is.exec(statement) ?? []
    if (name === '' || this.#names.has(name.toLowerCase()) || isSyntax(name)) return null
    return { name, value }
  }
}

/** Whether a word after SET is not the name of a setting. */
function isSyntax(word: string): boolean {
  return /^(?:time|session|local|role|transaction|names|schema|constraints|catalog|xml)$/i.test(
    word,
  )
}
