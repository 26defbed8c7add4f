import type { QueryRunner } from './query-runner.ts'
import type { TextResult } from './result-table.ts'

/** The result of a command that begins with a backslash. */
export type Outcome =
  | { readonly kind: 'quit' }
  | { readonly kind: 'connect'; readonly database: string }
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'tables'
      readonly tables: readonly { readonly title?: string; readonly result: TextResult }[]
    }

const help = String.raw`\l        list the databases
\dt       list the tables
\d NAME   describe a table, view or index
\c NAME   connect to another database
\q        leave, as does Ctrl-D
\?        this help

Statements end with a semicolon. Ctrl-C throws away what was typed, or cancels what runs.`

const listDatabases = `
  SELECT datname AS "Name", pg_catalog.pg_get_userbyid(datdba) AS "Owner",
         pg_catalog.pg_encoding_to_char(encoding) AS "Encoding"
  FROM pg_catalog.pg_database ORDER BY 1`

const listTables = `
  SELECT n.nspname AS "Schema", c.relname AS "Name",
         CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' END AS "Type",
         pg_catalog.pg_get_userbyid(c.relowner) AS "Owner"
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  ORDER BY 1, 2`

const describeColumns = `
  SELECT a.attname AS "Column", pg_catalog.format_type(a.atttypid, a.atttypmod) AS "Type",
         CASE WHEN a.attnotnull THEN 'not null' ELSE '' END AS "Nullable",
         coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '') AS "Default"
  FROM pg_catalog.pg_attribute a
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = $1::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attnum`

const describeIndexes = `
  SELECT pg_catalog.pg_get_indexdef(indexrelid) AS "Indexes"
  FROM pg_catalog.pg_index WHERE indrelid = $1::pg_catalog.regclass ORDER BY indexrelid`

const describeConstraints = `
  SELECT conname AS "Constraint", pg_catalog.pg_get_constraintdef(oid) AS "Definition"
  FROM pg_catalog.pg_constraint WHERE conrelid = $1::pg_catalog.regclass ORDER BY conname`

/** The built-in prompt's commands that begin with a backslash: the most needed ones of psql. */
export class PromptCommands {
  readonly #runner: QueryRunner

  constructor(runner: QueryRunner) {
    this.#runner = runner
  }

  /** Runs a command, such as `\d person`. */
  async run(text: string): Promise<Outcome> {
    const [, name = '', operand = ''] = /^(\\\S*)\s*(.*?)[\s;]*$/su.exec(text) ?? []
    switch (name) {
      case String.raw`\q`:
        return { kind: 'quit' }
      case String.raw`\?`:
        return { kind: 'text', text: help }
      case String.raw`\l`:
        return await this.#table(listDatabases)
      case String.raw`\dt`:
        return await this.#table(listTables)
      case String.raw`\d`:
        return operand === '' ? await this.#table(listTables) : await this.#describe(operand)
      case String.raw`\c`:
        return {
          kind: 'connect',
          database: operand === '' ? this.#runner.database : unquote(operand),
        }
      default:
        return { kind: 'text', text: String.raw`${name} is not known here; \? lists what is` }
    }
  }

  async #table(sql: string): Promise<Outcome> {
    const [result] = await this.#runner.run(sql)
    return { kind: 'tables', tables: result === undefined ? [] : [{ result }] }
  }

  async #describe(relation: string): Promise<Outcome> {
    const [columns] = await this.#runner.run(describeColumns, { values: [relation] })
    const more = [
      ...(await this.#runner.run(describeIndexes, { values: [relation] })),
      ...(await this.#runner.run(describeConstraints, { values: [relation] })),
    ].filter(({ rows }) => rows.length > 0)
    const tables = [
      ...(columns === undefined ? [] : [{ title: relation, result: columns }]),
      ...more.map((result) => ({ result })),
    ]
    return { kind: 'tables', tables }
  }
}

/** The name that a quoted or unquoted identifier of SQL means. */
function unquote(name: string): string {
  return name.startsWith('"') && name.endsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
}
