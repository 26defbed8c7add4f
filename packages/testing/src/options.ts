import type { Constraint, Strategy } from '@howdah/runtime'
import type pg from 'pg'

/** A value that a template depends on: anything that JSON can hold. */
export type KeyValue =
  | number
  | boolean
  | null
  | { readonly [name: string]: KeyValue | string }
  | readonly (KeyValue | string)[]

/** What `migrate` and `seed` work with: one new database that nobody else uses. */
export interface Migration {
  /** The database, for any tool that takes a URL. */
  readonly url: string
  /** `DATABASE_URL`, `PGHOST`, `PGPORT`, `PGUSER`, `PGDATABASE`, … of this database. */
  readonly env: Readonly<Record<string, string>>
  /** A connection to it, closed afterwards. */
  readonly client: pg.Client
  /**
   * Runs a command in `root`, with {@link env} and the project's own programs (`node_modules/.bin`) first on PATH. Throws if
   * it fails, with the end of what it printed.
   */
  readonly exec: (command: string, args?: readonly string[]) => Promise<void>
  /** Runs files of SQL, in the order of their names. Throws with the file, the line and the server's message. */
  readonly sql: (pattern: string | readonly string[]) => Promise<void>
}

/** How the schema gets into a new database. */
export type Migrate = ((migration: Migration) => Promise<unknown>) | string | MigrateCommand

/** A command that migrates: `{ exec: ['prisma', 'migrate', 'deploy'] }`. */
export interface MigrateCommand {
  readonly exec: readonly [command: string, ...args: string[]]
}

/** What the databases of tests are made of. Nothing of it is looked at before the first `create()`. */
export interface TestDatabasesOptions {
  /**
   * Brings the schema into a new database, once for each content of {@link key}: a function; a glob of SQL files, run in the
   * order of their names; or a command. Without it the databases are empty.
   */
  readonly migrate?: Migrate | undefined
  /**
   * What the template depends on. A text is a path or glob of files, relative to {@link root}, which count with their names
   * and content; anything else counts as a value. The source of `migrate` and `seed`, PostgreSQL's version and the other
   * options always count, and for a glob as `migrate` its files do, too. Throws `ERR_TESTING_KEY` if a text matches no file.
   */
  readonly key?: readonly (KeyValue | string)[] | undefined
  /**
   * `migrate` may start from a database that it has already migrated with the first files of {@link key}, and then brings in
   * only the others. Most tools work like this: Prisma, Drizzle, Knex, … Always so for a glob of SQL files; otherwise `false`.
   */
  readonly incremental?: boolean | undefined
  /** Adds rows after `migrate`: a function, or a glob of SQL files. It runs anew if it changes, or the schema does. */
  readonly seed?: ((migration: Migration) => Promise<unknown>) | string | undefined
  /** Extensions to create first, with what they need. */
  readonly extensions?: readonly string[] | undefined
  /**
   * The URL of an existing server, of a role that has CREATEDB. Without it, a server of our own is started, in memory if there
   * is room, and shared by all processes that ask for one like it.
   */
  readonly server?: string | undefined
  /** Which PostgreSQL our own server is: `18`, `'16.3'`, or a constraint of `@howdah/runtime`. */
  readonly runtime?: number | string | Constraint | undefined
  /** Where to look for PostgreSQL, for our own server. */
  readonly strategy?: Strategy | undefined
  /** Settings of our own server, as with `-c NAME=VALUE`. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** Our own server listens on 127.0.0.1 as well, and URLs lead there: for clients that know no sockets. */
  readonly tcp?: boolean | undefined
  /**
   * Our own server has TLS, with a certificate of its own, and URLs say to verify it: for tests of how clients connect. Takes the
   * package `node-forge`.
   */
  readonly tls?: boolean | undefined
  /**
   * What tests have to themselves: a `'database'`, by default, on a server that they share with others; or a `'cluster'`, with
   * its roles, tablespaces and settings. Each `testDatabases` has one then: each test file by the doors for vitest and Jest, or
   * if the runner loads modules anew for each file. It is migrated each time, and gone with `end()` or the process.
   */
  readonly isolation?: 'database' | 'cluster' | undefined
  /** In ms: how long our own server stays for the next run; 10,000 by default. */
  readonly linger?: number | undefined
  /** Tells the templates of this project from others'; by default the name in `package.json`, and `root`. */
  readonly name?: string | undefined
  /** What paths are relative to; the working directory by default. */
  readonly root?: string | undefined
  /** How many databases at most a process makes ahead; 8 by default, and 0 makes none. */
  readonly ahead?: number | undefined
  /** In ms: how long to wait for the server, for others who build the template, and for a free connection; 120,000 by default. */
  readonly timeout?: number | undefined
  /** Told what deserves a word; by default it is printed to stderr. */
  readonly onNotice?: ((message: string) => void) | undefined
}
