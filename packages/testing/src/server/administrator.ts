import type pg from 'pg'
import { escapeIdentifier, escapeLiteral } from 'pg'
import { TestingError } from '../errors.ts'
import { connect, isState } from './connect.ts'
import { type Properties, readProperties } from './copy-properties.ts'
import { holdProcess, letProcessEnd } from './idle.ts'
import { type Label, labelSql, readLabel } from './label.ts'
import { lockKey, readName } from './names.ts'
import type { ReachableServer } from './test-server.ts'

/** The facts about a server. */
interface Facts {
  /** The version as a number: 180004 is 18.4. */
  readonly version: number
  readonly role: string
  readonly isSuperuser: boolean
  /** The OID of the database to which we are connected, and which has our locks. */
  readonly place: string
  /** Its name. */
  readonly database: string
  readonly maxConnections: number
  readonly fsync: boolean
}

/** A database of ours, or a template. */
export interface Listed {
  readonly name: string
  readonly kind: 'database' | 'template'
  readonly place: string
  /** Whether it is a finished template. */
  readonly isFinished: boolean
  /** Whether a drop of it was interrupted, so that it can only be dropped. */
  readonly isInvalid: boolean
  readonly label: Label | null
}

/** What the server tells of our role and of itself. */
interface Self {
  readonly version: number
  readonly role: string
  readonly super: boolean
  readonly creates: boolean
  readonly place: string
  readonly database: string
  readonly max: number
  readonly fsync: string
  readonly now: number
}

/** A row of {@link listSql}. */
interface ListedRow {
  readonly name: string
  readonly finished: boolean
  readonly invalid: boolean
  readonly comment: string | null
}

const listSql = `
  SELECT datname AS name, datistemplate AND NOT datallowconn AND datconnlimit <> -2 AS finished,
         datconnlimit = -2 AS invalid, pg_catalog.shobj_description(oid, 'pg_database') AS comment
    FROM pg_catalog.pg_database
   WHERE datname LIKE 'howdah\\_%' AND pg_catalog.pg_has_role(datdba, 'MEMBER')`

/**
 * The administrative connection of a process to a server. Its advisory locks say which databases the process owns. PostgreSQL
 * frees the locks when the connection ends, however that happens. Nothing slow runs on this connection.
 */
export class Administrator {
  readonly facts: Facts
  /** The databases and templates that were there when we came; see {@link list}. */
  readonly atFirst: readonly Listed[]
  readonly #client: pg.Client
  readonly #started: { readonly server: number; readonly here: number }
  /** The owned databases by lock key. They are remembered, because PostgreSQL would let one session take a lock twice. */
  readonly #owned = new Set<string>()
  #isLost = false
  #last: Promise<unknown> = Promise.resolve()
  /** How many queries have no answer yet. */
  #open = 0

  private constructor(client: pg.Client, facts: Facts, now: number, found: readonly ListedRow[]) {
    this.#client = client
    this.facts = facts
    this.atFirst = this.#read(found)
    this.#started = { server: now, here: performance.now() }
    client.on('end', () => {
      this.#isLost = true
    })
  }

  /** Throws `ERR_TESTING_SERVER` if the role may not create databases. */
  static async connect(server: ReachableServer): Promise<Administrator> {
    return await Administrator.on(await firstThatAdmits(server))
  }

  /** Takes over a connection. Throws as {@link connect} does, and then ends it. */
  static async on(client: pg.Client): Promise<Administrator> {
    try {
      // A list is to show the state after a lock that was taken in the same message.
      const results = (await client.query(
        `SET default_transaction_isolation TO 'read committed';
         SELECT current_setting('server_version_num')::int AS version, rolname AS role, rolsuper AS super,
                rolcreatedb AS creates, current_database() AS database, current_setting('max_connections')::int AS max,
                current_setting('fsync') AS fsync, extract(epoch FROM clock_timestamp())::float8 AS now,
                (SELECT oid::text FROM pg_catalog.pg_database WHERE datname = current_database()) AS place
           FROM pg_catalog.pg_roles WHERE rolname = current_user; ${listSql}`,
      )) as unknown as readonly [unknown, pg.QueryResult<Self>, pg.QueryResult<ListedRow>]
      const [, { rows: self }, { rows: listed }] = results
      const [found] = self
      if (found === undefined) throw new Error('the server does not say who we are')
      const { version, role, max, place, database } = found
      if (!found.super && !found.creates) {
        throw new TestingError(
          'ERR_TESTING_SERVER',
          `the role ${escapeIdentifier(role)} may not create databases; as a superuser: ALTER ROLE ${escapeIdentifier(role)} CREATEDB`,
        )
      }
      letProcessEnd(client)
      const facts = {
        version,
        role,
        isSuperuser: found.super,
        place,
        database,
        maxConnections: max,
        fsync: found.fsync !== 'off',
      }
      return new Administrator(client, facts, found.now, listed)
    } catch (error) {
      await client.end().catch(() => undefined)
      throw error
    }
  }

  get isLost(): boolean {
    return this.#isLost
  }

  /** The server's time, in seconds since 1970. Later changes of the clocks do not affect it. */
  now(): number {
    return Math.round(this.#started.server + (performance.now() - this.#started.here) / 1000)
  }

  /** Runs a query after the earlier ones. The process stays alive until the answer. */
  async query<Row extends pg.QueryResultRow>(
    text: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<Row[]> {
    return (await this.#ask<Row>(text, values)).rows
  }

  /** Runs a query, and then lists what is there, in one message. */
  async #askTwice<Answer extends pg.QueryResultRow>(
    text: string,
  ): Promise<readonly [Answer[], Listed[]]> {
    const results = (await this.#ask(`${text}; ${listSql}`)) as unknown
    const [one, two] = results as readonly [pg.QueryResult<Answer>, pg.QueryResult<ListedRow>]
    return [one.rows, this.#read(two.rows)]
  }

  async #ask<Row extends pg.QueryResultRow>(
    text: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>> {
    this.#open += 1
    holdProcess(this.#client)
    const answer = this.#last.then(async () => await this.#client.query<Row>(text, values))
    const close = () => {
      this.#open -= 1
      if (this.#open === 0) letProcessEnd(this.#client)
    }
    this.#last = answer.then(close, close)
    return await answer
  }

  /** The databases and templates of this package that this role may drop and that have their locks in this database. */
  async list(): Promise<Listed[]> {
    return this.#read(await this.query<ListedRow>(listSql))
  }

  #read(rows: readonly ListedRow[]): Listed[] {
    return rows.flatMap(({ name, finished, invalid, comment }): Listed[] => {
      const named = readName(name)
      if (named === null || named.place !== this.facts.place) return []
      const label = readLabel(comment)
      return [{ name, ...named, isFinished: finished, isInvalid: invalid, label }]
    })
  }

  /** The present state of one of them; `null` if it is gone. */
  async find(name: string): Promise<Listed | null> {
    return (await this.list()).find((one) => one.name === name) ?? null
  }

  async label(name: string, label: Label): Promise<void> {
    const dated = { ...label, at: this.now() }
    await this.query(`COMMENT ON DATABASE ${escapeIdentifier(name)} IS ${labelSql(dated)}`)
  }

  /**
   * Labels a database, and resolves when the server is sure to do so: if no earlier query runs, as soon as the system has the
   * statement. It arrives although our process is killed, and our locks last until it is executed.
   */
  async labelSoon(name: string, label: Label): Promise<void> {
    const isIdle = this.#open === 0
    const labelled = this.label(name, label)
    if (!isIdle) return await labelled
    labelled.catch(() => undefined)
    await Promise.resolve()
  }

  /** The properties of a template that `CREATE DATABASE … TEMPLATE` does not copy. */
  async propertiesOf(template: string): Promise<Properties> {
    return await readProperties(this.query.bind(this), template)
  }

  owns(name: string): boolean {
    return this.#owned.has(name)
  }

  /** Takes the given databases or templates that no process owns, not even this one. Gives their names. */
  async take(names: readonly string[]): Promise<string[]> {
    const free = names.filter((name) => !this.#owned.has(name))
    if (free.length === 0) return []
    const text = `SELECT name FROM unnest($1::text[], $2::bigint[]) AS wanted (name, key)
       WHERE pg_catalog.pg_try_advisory_lock(key)`
    const values = [free, free.map(lockKey)]
    const rows = await this.query<{ name: string }>({ name: 'take', text, values })
    for (const { name } of rows) this.#owned.add(name)
    return rows.map(({ name }) => name)
  }

  /** Takes databases as {@link take} does, and gives the taken ones as they then are. */
  async takeListed(names: readonly string[]): Promise<Listed[]> {
    const free = names.filter((name) => !this.#owned.has(name))
    if (free.length === 0) return []
    const wanted = free.map((name) => `(${escapeLiteral(name)}, '${lockKey(name)}'::bigint)`)
    const [tried, listed] = await this.#askTwice<{ name: string }>(
      `SELECT name FROM (VALUES ${wanted.join(', ')}) AS wanted (name, key) WHERE pg_catalog.pg_try_advisory_lock(key)`,
    )
    for (const { name } of tried) this.#owned.add(name)
    return listed.filter(({ name }) => tried.some((one) => one.name === name))
  }

  /** Gives up the ownership. */
  async free(names: readonly string[]): Promise<void> {
    for (const name of names) this.#owned.delete(name)
    if (names.length === 0 || this.#isLost) return
    const text = 'SELECT pg_catalog.pg_advisory_unlock(key) FROM unnest($1::bigint[]) AS key'
    await this.query({ name: 'free', text, values: [names.map(lockKey)] })
  }

  /** Takes a shared lock, so that nobody can become the owner, and gives the list of then. `null`: somebody is the owner. */
  async tryShare(name: string): Promise<Listed[] | null> {
    const [tried, listed] = await this.#askTwice<{ shared: boolean }>(
      `SELECT pg_catalog.pg_try_advisory_lock_shared('${lockKey(name)}'::bigint) AS shared`,
    )
    return tried[0]?.shared === true ? listed : null
  }

  async unshare(name: string): Promise<void> {
    if (this.#isLost) return
    await this.query('SELECT pg_catalog.pg_advisory_unlock_shared($1::bigint)', [lockKey(name)])
  }

  /** The holders of the lock of a database or template, by the names of their connections. */
  async holdersOf(name: string): Promise<string[]> {
    const rows = await this.query<{ holder: string }>(
      `SELECT coalesce(nullif(application_name, ''), 'process ' || a.pid || ' of the server') AS holder
         FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
        WHERE l.locktype = 'advisory' AND l.granted AND l.database = $2::oid AND l.objsubid = 1
          AND (l.classid::bigint << 32) | l.objid::bigint = $1::bigint`,
      [lockKey(name), this.facts.place],
    )
    return rows.map(({ holder }) => holder)
  }

  async close(): Promise<void> {
    holdProcess(this.#client)
    await this.#client.end().catch(() => undefined)
  }
}

async function firstThatAdmits(server: ReachableServer): Promise<pg.Client> {
  let refusal: unknown
  for (const database of server.administrative) {
    try {
      return await connect(server, database)
    } catch (error) {
      // The database does not exist, we may not connect to it, or pg_hba.conf has no line for it.
      if (!isState(error, '3D000', '42501', '28000')) throw error
      refusal ??= error
    }
  }
  throw refusal
}
