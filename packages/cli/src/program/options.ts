/** The parsed options of all commands; each command takes some of them. */
export interface Options {
  readonly datadir?: string | undefined
  /** The branch of the cluster. */
  readonly branch?: string | undefined
  readonly database?: string | undefined
  /** Settings of the server. */
  readonly set?: Readonly<Record<string, string>> | undefined
  /** Whether the cluster is fast, or safe from a crash of the machine. */
  readonly mode?: 'fast' | 'safe' | undefined
  /** The URL by which the project connects. */
  readonly as?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** More variables for the command, as templates. */
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly locale?: string | undefined
  /** Whether a new cluster accepts TCP connections without a password. */
  readonly trust?: boolean | undefined
  /** Scripts for a new cluster: paths or globs. */
  readonly init?: readonly string[] | undefined
  /** The port; `true` means any free port. */
  readonly tcp?: boolean | number | undefined
  readonly tls?: boolean | undefined
  /** A version, a directory, or a glob of directories with PostgreSQL's programs. */
  readonly runtime?: string | undefined
  /** Names the setting of the project that `runtime` comes from. */
  readonly runtimePlace?: (() => string) | undefined
  readonly install?: boolean | undefined
  /** In ms. On the command line all durations are in seconds. */
  readonly linger?: number | undefined
  /** In ms. */
  readonly timeout?: number | undefined
  readonly destroy?: boolean | undefined
  /** Use a temporary cluster. */
  readonly temporary?: boolean | undefined
  /** For `exec`: make a database for SHADOW_DATABASE_URL. */
  readonly shadow?: boolean | undefined
  /** `false`: do not save clusters and databases that are destroyed or dropped. */
  readonly save?: boolean | undefined
  /** For `apply`: do not run the scripts, but record that they have run. */
  readonly done?: boolean | undefined
  /** Do not fork the main checkout's cluster for a new worktree. */
  readonly empty?: boolean | undefined
  readonly force?: boolean | undefined
  /** For `upgrade`: remove the old clusters that are kept. */
  readonly dropOld?: boolean | undefined
  /** For `config reset`: all settings. */
  readonly all?: boolean | undefined
  /** For `doctor`: repair everything that is safe to repair. */
  readonly fix?: boolean | undefined
  /** For `doctor`: remove the templates of new clusters. */
  readonly clearTemplates?: boolean | undefined
  /** For `doctor`: examine only the cluster here, not the rest of the machine. */
  readonly here?: boolean | undefined
  /** For `config`: restart the server if the change needs a restart. */
  readonly restart?: boolean | undefined
  readonly runAs?: string | undefined
  readonly json?: boolean | undefined
  readonly quiet?: boolean | undefined
  readonly follow?: boolean | undefined
  readonly lines?: number | undefined
  /** Fail if there is no cluster, instead of making one. */
  readonly ifExists?: boolean | undefined
  /** Do not ask whether it is meant. */
  readonly yes?: boolean | undefined
  /** For `url`: the URL over the socket. */
  readonly socket?: boolean | undefined
  /** For `lock`: do not wait. */
  readonly nonblock?: boolean | undefined
  /** For `lock`: how long to wait, in ms. */
  readonly wait?: number | undefined
  /** For `lock`: a command for the shell. */
  readonly command?: string | undefined
  /** Take a shared lock. */
  readonly shared?: boolean | undefined
  /** The command does not inherit the lock. */
  readonly close?: boolean | undefined
  /** Where leases are kept: a directory or a URL. */
  readonly in?: string | undefined
  /** The duration of a lease, in ms. */
  readonly ttl?: number | undefined
  /** In ms. */
  readonly grace?: number | undefined
  readonly owner?: string | undefined
  /** For `testdb`: the URL of an existing server. */
  readonly server?: string | undefined
  /** The place to which `clone` and `restore` write the cluster, `replica restore` the database, and `dump` the SQL. */
  readonly to?: string | undefined
  /** For `createdb`: the database to copy. */
  readonly template?: string | undefined
  /** For `snapshot save`: replace a snapshot of the same name. */
  readonly replace?: boolean | undefined
  /** For `load`: load everything in one transaction. */
  readonly singleTransaction?: boolean | undefined
  /** For `load`: make missing roles. */
  readonly roles?: boolean | undefined
  readonly txid?: bigint | undefined
  /** A time with a time zone, which may be more precise than a `Date`. */
  readonly time?: string | undefined
  /** The directory to which backups are written. */
  readonly into?: string | undefined
  /** The number of backups to keep. */
  readonly keep?: number | undefined
  /** The directory from which backups are read. */
  readonly from?: string | undefined
  /** The number of a backup. */
  readonly backup?: number | undefined
  readonly transaction?: bigint | undefined
  /** The name of a restore point. */
  readonly name?: string | undefined
  readonly lsn?: string | undefined
  readonly exclusive?: boolean | undefined
  readonly timeline?: number | undefined
  /** The scripts for `shell`, in order: SQL of `-c`, files of `-f`. */
  readonly scripts?: readonly Script[] | undefined
}

/** A script for `shell`. */
export type Script =
  | { readonly kind: 'command'; readonly sql: string }
  | { readonly kind: 'file'; readonly path: string }

/**
 * The name of an option in {@link Options}; `sql` or `file`, which add to `scripts`; `toFile` and `toDatabase`, the `--to` of `dump` and
 * `snapshot`; or
 * `shellCommand`, the `--command` of `lock`.
 */
export type OptionName =
  | Exclude<keyof Options, 'scripts' | 'command' | 'runtimePlace'>
  | 'sql'
  | 'file'
  | 'toFile'
  | 'toDatabase'
  | 'shellCommand'
