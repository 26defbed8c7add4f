import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Client, type DatabaseError } from 'pg'
import { DumpError } from '../errors.ts'
import { majorOf } from '../server-major.ts'
import { clientOptionsOf, type Source } from '../source.ts'
import { readCommand } from './command.ts'
import { describeFailure } from './describe-failure.ts'
import { Inserts, transactionAfter } from './inserts.ts'
import { KnownSettings } from './known-settings.ts'
import { inOlderSyntax } from './older-syntax.ts'
import type { LoadOptions } from './load-options.ts'
import { openScript } from './reading/open-script.ts'
import { restoreArchive } from './restore-archive.ts'
import { RoleKeeper } from './role-keeper.ts'
import { ScriptReader } from './reading/script-reader.ts'
import type { ScannedStatement } from './reading/statement-scanner.ts'

/** What {@link load} has run. */
export interface Loaded {
  /** The number of statements that were run; `null` for an archive. */
  readonly statements: number | null
  /** The number of rows that `COPY` loaded; `null` for an archive. */
  readonly rows: number | null
  /** The number of statements that were skipped because their roles are missing. */
  readonly skipped: number
}

/**
 * Loads a dump into a database, up to the first error.
 *
 * SQL is run statement by statement, in memory that does not depend on its size, with the data of `COPY … FROM stdin`. It knows the
 * commands of psql that dumps have: `\connect`, `\restrict`, `\unrestrict`, `\encoding UTF8`, and `\echo`, which is ignored.
 *
 * Throws `ERR_LOAD_FAILED` with the file, the line and a mark if the server refuses a statement, `ERR_LOAD_COMMAND` for any
 * other command of psql, `ERR_LOAD_ENCODING` for a dump that is not in UTF-8, `ERR_LOAD_FORMAT` for an archive if there is no
 * pg_restore, and `ERR_LOAD_UNREADABLE`.
 *
 * @example
 * await using session = await run({ database: 'app' })
 * await load(session, { from: 'app.sql.gz', roles: 'create' })
 */
export async function load(source: Source, options: LoadOptions): Promise<Loaded> {
  options.signal?.throwIfAborted()
  const script = await openScript(options.from)
  if (script.kind === 'archive') {
    await restoreArchive(source, script, options)
    return { statements: null, rows: null, skipped: 0 }
  }
  const loading = new Loading(source, options)
  try {
    await loading.connect(options.database)
    return await loading.run(new ScriptReader(script.bytes), () =>
      options.onProgress?.({ bytes: script.read(), totalBytes: script.size }),
    )
  } finally {
    await loading.end()
  }
}

const release = 'RELEASE SAVEPOINT howdah'

/** A script that is being loaded. */
class Loading {
  readonly #source: Source
  readonly #options: LoadOptions
  readonly #name: string
  readonly #roles: RoleKeeper
  readonly #settings = new KnownSettings()
  #client: Client | null = null
  /** The token of `\restrict`, until `\unrestrict`. */
  #restriction: string | null = null
  #statements = 0
  /** The server's major version. */
  #major = 0
  #rows = 0
  readonly #inserts = new Inserts()
  #inTransaction = false

  constructor(source: Source, options: LoadOptions) {
    this.#source = source
    this.#options = options
    this.#name = typeof options.from === 'string' ? basename(options.from) : '<stdin>'
    this.#roles = new RoleKeeper(options)
  }

  async connect(database: string | undefined): Promise<void> {
    const client = new Client(clientOptionsOf(this.#source, database))
    // If the connection breaks, the waiting statement fails.
    client.on('error', () => undefined)
    await client.connect()
    this.#client = client
    this.#major = await majorOf(client)
    await this.#roles.learn(client)
    await this.#settings.learn(client)
    this.#inTransaction = this.#options.singleTransaction === true
    if (this.#inTransaction) await client.query('BEGIN')
  }

  async end(): Promise<void> {
    await this.#client?.end()
  }

  async run(reader: ScriptReader, progressed: () => void): Promise<Loaded> {
    const { signal, singleTransaction } = this.#options
    for (let one = await reader.next(); one !== null; one = await reader.next()) {
      signal?.throwIfAborted()
      if (this.#inserts.add(one)) {
        if (this.#inserts.isFull) await this.#insert()
      } else {
        await this.#insert()
        if (one.kind === 'command') await this.#obey(one)
        else await this.#execute(one, reader.data(), progressed)
      }
      progressed()
    }
    await this.#insert()
    if (singleTransaction === true) await this.#connected.query('COMMIT')
    return { statements: this.#statements, rows: this.#rows, skipped: this.#roles.skipped }
  }

  get #connected(): Client {
    if (this.#client === null) throw new Error('not connected')
    return this.#client
  }

  /** Runs the gathered statements together. If that fails, it has changed nothing, and they run one by one up to the bad one. */
  async #insert(): Promise<void> {
    const inserts = this.#inserts.take()
    if (inserts.length > 1 && (await this.#runTogether(inserts))) this.#statements += inserts.length
    else for (const one of inserts) await this.#execute(one)
  }

  async #runTogether(inserts: readonly ScannedStatement[]): Promise<boolean> {
    const client = this.#connected
    const texts = inserts.map(({ text }) => text)
    const all = this.#inTransaction ? ['SAVEPOINT howdah', ...texts, release] : texts
    try {
      // A statement may end with a comment.
      await this.#interruptible(client, all.join('\n;'))
      return true
    } catch {
      this.#options.signal?.throwIfAborted()
      const undo = `ROLLBACK TO SAVEPOINT howdah; ${release}`
      if (this.#inTransaction) await client.query(undo).catch(() => undefined)
      return false
    }
  }

  async #execute(
    statement: ScannedStatement,
    data?: AsyncIterable<Buffer>,
    progressed: () => void = () => undefined,
  ): Promise<void> {
    const { text } = statement
    this.#refuseEncoding(statement)
    if (this.#passesOver(text)) return
    const client = this.#connected
    try {
      if (!(await this.#roles.allows(client, text))) return
      if (data !== undefined && /^copy\b.*\bfrom\s+stdin\b/is.test(text)) {
        const { from: copyFrom } = await import('pg-copy-streams')
        const sink = client.query(copyFrom(text))
        await pipeline(counted(data, progressed), sink, { signal: this.#options.signal })
        this.#rows += sink.rowCount
      } else await this.#interruptible(client, inOlderSyntax(text, this.#major))
    } catch (error) {
      this.#options.signal?.throwIfAborted()
      const { words, line } = describeFailure(error as DatabaseError, {
        name: this.#name,
        statement: text,
        line: statement.line,
      })
      throw this.#failure('ERR_LOAD_FAILED', words, line, error)
    }
    this.#statements += 1
    this.#inTransaction = transactionAfter(text) ?? this.#inTransaction
  }

  /** An aborted signal ends the connection, and the server then ends the statement. */
  async #interruptible(client: Client, text: string): Promise<void> {
    const { signal } = this.#options
    const abort = () => void client.end().catch(() => undefined)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await client.query(text)
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  async #obey({ text, line }: ScannedStatement): Promise<void> {
    const command = readCommand(text)
    const refuse = (why: string) =>
      this.#failure('ERR_LOAD_COMMAND', `${this.#name}:${line}: ${text}: ${why}`, line)
    if (command.kind === 'unrestrict') {
      if (command.token !== this.#restriction) throw refuse('there is no such \\restrict before it')
      this.#restriction = null
      return
    }
    if (this.#restriction !== null)
      throw refuse('\\restrict forbids commands until its \\unrestrict')
    switch (command.kind) {
      case 'restrict':
        this.#restriction = command.token
        return
      case 'connect':
        if (this.#options.singleTransaction === true)
          throw refuse(
            'a transaction cannot go on in another database; load without a single transaction',
          )
        await this.end()
        await this.connect(command.database)
        return
      case 'echo':
        return
      case 'unknown':
        throw refuse('howdah does not know this command of psql; take it out, or use psql')
    }
  }

  /** Skips a setting that the server does not know. Reports it unless its value is "off", which makes no difference. */
  #passesOver(text: string): boolean {
    const unknown = this.#settings.unknownIn(text)
    if (unknown === null) return false
    const { name, value } = unknown
    if (!/^'?(?:0|off|false)'?$/i.test(value))
      this.#options.onNotice?.(`the server has no setting ${name}: ${text} is passed over`)
    return true
  }

  #refuseEncoding({ text, line }: ScannedStatement): void {
    const [, name] = /^set\s+client_encoding\s*(?:=|to)\s*'?([\w-]+)'?$/i.exec(text) ?? []
    if (name === undefined || /^(?:utf-?8|unicode)$/i.test(name)) return
    throw this.#failure(
      'ERR_LOAD_ENCODING',
      `${this.#name}:${line}: it is in ${name}; make it anew with --encoding=UTF8, as "howdah dump" does`,
      line,
    )
  }

  #failure(
    code: 'ERR_LOAD_FAILED' | 'ERR_LOAD_COMMAND' | 'ERR_LOAD_ENCODING',
    words: string,
    line: number,
    cause?: unknown,
  ): DumpError {
    const { from } = this.#options
    return new DumpError(code, words, {
      path: typeof from === 'string' ? from : undefined,
      line,
      cause,
    })
  }
}

async function* counted(
  data: AsyncIterable<Buffer>,
  progressed: () => void,
): AsyncGenerator<Buffer> {
  for await (const part of data) {
    yield part
    progressed()
  }
}
