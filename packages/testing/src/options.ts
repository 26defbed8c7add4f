import type { Constraint, Strategy } from '@howdah/runtime'
import type pg from 'pg'

/** A value that a template depends on: anything that JSON can hold. */
export type KeyValue =
  | number
  | boolean
  | null
  | { readonly [name: string]: KeyValue | string }
  | readonly (KeyValue | string)[]

/** The argument of `migrate` and `seed`: a new database that nobody else uses. */
export interface Migration {
  /** The database, for any tool that takes a URL. */
  readonly url: string
  /** `DATABASE_URL`, `PGHOST`, `PGPORT`, `PGUSER`, `PGDATABASE`, … of this database. */
  readonly env: Readonly<Record<string, string>>
  /** A connection to the database, which is closed afterwards. */
  readonly client: pg.Client
  /**
   * Runs a command in `root`, with {@link env} and the project's own programs (`node_modules/.bin`) first on PATH. Throws if
   * it fails, with the end of what it printed.
   */
  readonly exec: (command: string, args?: readonly string[]) => Promise<void>
  /** Runs files of SQL, in the order of their names. Throws with the file, the line and the server's message. */
  readonly sql: (pattern: string | readonly string[]) => Promise<void>
}

/** How to make the schema in a new database. */
export type Migrate = ((migration: Migration) => Promise<unknown>) | string | MigrateCommand

/** A command that migrates: `{ exec: ['prisma', 'migrate', 'deploy'] }`. */
export interface MigrateCommand {
  readonly exec: readonly [command: string, ...args: string[]]
}

/** How to make the databases of tests. The options are not used before the first `create()`. */
export interface TestDatabasesOptions {
  /**
   * Makes the schema in a new database, once for each content of {@link key}. It is a function; a glob of SQL files, which
   * run in the order of their names; or a command. Without it the databases are empty.
   */
  readonly migrate?: Migrate | undefined
  /**
   * The things that the template depends on. A text is a path or glob of files, relative to {@link root}; their names and
   * content count. Anything else counts as a value. The source of `migrate` and `seed`, PostgreSQL's version and the other
   * options always count, and for a glob as `migrate` its files do, too. Throws `ERR_TESTING_KEY` if a text matches no file.
   */
  readonly key?: readonly (KeyValue | string)[] | undefined
  /**
   * `migrate` may start from a database that it has already migrated with the first files of {@link key}, and then brings in
   * only the others. Most tools work like this: Prisma, Drizzle, Knex, … Always so for a glob of SQL files; otherwise `false`.
   */
  readonly incremental?: boolean | undefined
  /** Adds rows after `migrate`: a function, or a glob of SQL files. It runs again if it changes or the schema changes. */
  readonly seed?: ((migration: Migration) => Promise<unknown>) | string | undefined
  /** Extensions to create first, with those that they need. */
  readonly extensions?: readonly string[] | undefined
  /**
   * The URL of an existing server, with a role that has CREATEDB. Without it, a server of our own is started, in memory if
   * there is room, and shared by all processes with the same options.
   */
  readonly server?: string | undefined
  /** Which PostgreSQL our own server is: `18`, `'16.3'`, or a constraint of `@howdah/runtime`. */
  readonly runtime?: number | string | Constraint | undefined
  /** Where to look for PostgreSQL, for our own server. */
  readonly strategy?: Strategy | undefined
  /** Settings of our own server, as with `-c NAME=VALUE`. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** Let our own server also listen on 127.0.0.1, and use that in URLs, for clients that do not support sockets. */
  readonly tcp?: boolean | undefined
  /**
   * Let our own server use TLS with a certificate of its own, which clients verify by the URLs, to test how clients connect.
   * Needs the package `node-forge`.
   */
  readonly tls?: boolean | undefined
  /**
   * What each test has for itself: a `'database'` (the default) on a shared server, or a `'cluster'` with its roles,
   * tablespaces and settings. With `'cluster'`, each `testDatabases` has a cluster of its own; with the entries for vitest
   * and Jest, and if the runner loads modules again for each file, that is one for each test file. It begins with the saved
   * templates, and is removed by `end()` or with the process.
   */
  readonly isolation?: 'database' | 'cluster' | undefined
  /** How long our own server stays for the next run, in ms; 10,000 by default. */
  readonly linger?: number | undefined
  /**
   * Save the templates of our own server, so that later servers need not migrate; `true` by default. It applies to templates of
   * which {@link key} or globs of SQL files say what they depend on, without new roles, tablespaces and unlogged tables.
   */
  readonly saveTemplates?: boolean | undefined
  /** Distinguishes the templates of this project from those of others; by default the name in `package.json`, and `root`. */
  readonly name?: string | undefined
  /** The directory to which paths are relative; the working directory by default. */
  readonly root?: string | undefined
  /** The largest number of databases that a process makes ahead; 8 by default, and 0 makes none. */
  readonly ahead?: number | undefined
  /**
   * How long to wait for the server, for other processes that build the template, and for a free connection, in ms; 120,000
   * by default.
   */
  readonly timeout?: number | undefined
  /** Called with messages for the user; by default they are printed to stderr. */
  readonly onNotice?: ((message: string) => void) | undefined
}
