import { InvalidArgumentError, Option } from 'commander'

/** The parsed options of all commands; each command takes some of them. */
export interface Options {
  readonly datadir?: string | undefined
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
  /** Do not fork the main checkout's cluster for a new worktree. */
  readonly empty?: boolean | undefined
  readonly force?: boolean | undefined
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
  /** For `load`: load everything in one transaction. */
  readonly singleTransaction?: boolean | undefined
  /** For `load`: make missing roles. */
  readonly roles?: boolean | undefined
  readonly txid?: bigint | undefined
  readonly time?: Time | undefined
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

/** A point in time, which may be more precise than a `Date`. */
interface Time {
  readonly date: Date
  /** The given text. */
  readonly text: string
}

/** A script for `shell`. */
export type Script =
  | { readonly kind: 'command'; readonly sql: string }
  | { readonly kind: 'file'; readonly path: string }

/**
 * The name of an option in {@link Options}, `command` or `file`, which add to `scripts`, or `toFile`, the `--to` of `dump`.
 */
export type OptionName = Exclude<keyof Options, 'scripts'> | 'command' | 'file' | 'toFile'

const declarations: Readonly<Record<OptionName, () => Option>> = {
  datadir: () =>
    new Option(
      '-D, --datadir <dir>',
      'the data directory (default: $PGDATA, else .howdah/data in the project here: the nearest directory upwards with a ' +
        'howdah.json or a .howdah, at the latest the top of the work tree)',
    ).argParser(nonEmpty),
  database: () =>
    new Option(
      '-d, --database <name>',
      'the database, made if missing (default: $PGDATABASE, else postgres)',
    ).argParser(nonEmpty),
  set: () =>
    new Option(
      '--set <name=value>',
      'a setting of the server, if this starts it; can be repeated',
    ).argParser(setting),
  mode: () =>
    new Option(
      '--mode <mode>',
      'from now on, "fast": a crash of the machine may destroy all data; or "safe" again',
    ).choices(['fast', 'safe']),
  as: () =>
    new Option(
      '--as <url>',
      "be reached by this URL, the project's own: postgresql://user:password@localhost:5432/database",
    ).argParser(nonEmpty),
  user: () =>
    new Option(
      '--user <name>',
      'the superuser of a cluster that this makes (default: $PGUSER, else your name)',
    ).argParser(nonEmpty),
  password: () =>
    new Option(
      '--password <password>',
      "the superuser's over TCP, from now on (default for a new cluster: $PGPASSWORD)",
    ).argParser(nonEmpty),
  env: () =>
    new Option(
      '--env <name=template>',
      'a variable for the command, with {url}, {base} (the URL without a database), {host}, {port}, {user}, ' +
        '{password}, {database}, {dataDir} or {authority} filled in; can be repeated',
    ).argParser(setting),
  init: () =>
    new Option(
      '--init <glob>',
      'scripts for a cluster that this makes, in order: .sql, .sql.gz, .sh, or a directory of such; can be repeated',
    ).argParser((text, before?: readonly string[]) => [...(before ?? []), nonEmpty(text)]),
  locale: () =>
    new Option(
      '--locale <locale>',
      'of a cluster that this makes: en_US.UTF-8, icu:en-US, builtin:C.UTF-8 (default: C)',
    ).argParser(nonEmpty),
  trust: () =>
    new Option(
      '--trust',
      'a cluster that this makes asks nobody on this machine for a password, over TCP either',
    ),
  tcp: () =>
    new Option(
      '--tcp [port]',
      'listen on localhost too, with a password, at any free port or this one',
    ).argParser(port),
  tls: () =>
    new Option(
      '--tls',
      'over TCP, encrypt connections, with a certificate made for this server, which DATABASE_URL says to verify',
    ),
  runtime: () =>
    new Option(
      '--runtime <constraint>',
      'which PostgreSQL: a version (16, 16.3), its directory with or without bin, or a glob of such',
    ).argParser(nonEmpty),
  install: () =>
    new Option('--install', 'fetch the version of PostgreSQL that is needed, if it is not here'),
  linger: () =>
    new Option(
      '--linger <seconds>',
      'keep the server for the next user, this long after the last',
    ).argParser(seconds),
  timeout: () =>
    new Option(
      '--timeout <seconds>',
      'how long to wait, for others and for the server (default: no limit for others)',
    ).argParser(seconds),
  runAs: () =>
    new Option('--run-as <user>', 'as root: the user that the server runs as').argParser(nonEmpty),
  destroy: () =>
    new Option(
      '--destroy',
      'destroy the cluster at the end; one that is made by this is gone even after a SIGKILL',
    ),
  temporary: () =>
    new Option(
      '--temporary',
      'a new cluster, in memory if there is room, that is gone at the end, even after a SIGKILL',
    ).conflicts('datadir'),
  shadow: () =>
    new Option(
      '--shadow',
      'set SHADOW_DATABASE_URL, as for "prisma migrate dev", to a database that is dropped at the end',
    ),
  save: () => new Option('--no-save', 'do not save it for "howdah undo"'),
  empty: () =>
    new Option(
      '--empty',
      "in a new worktree: begin with an empty cluster, and not with a fork of the main checkout's",
    ),
  force: () => new Option('--force', "even while it is used, or if it is not howdah's"),
  all: () => new Option('--all', 'all of them'),
  server: () =>
    new Option(
      '--server <url>',
      'an existing server, in the place of those that howdah has started for tests',
    ).argParser(nonEmpty),
  fix: () => new Option('--fix', 'mend what is safe to mend'),
  clearTemplates: () =>
    new Option('--clear-templates', 'remove the templates that new clusters are made of'),
  here: () => new Option('--here', 'look at this cluster only, and not at the rest of the machine'),
  restart: () =>
    new Option('--restart', 'restart the server if it takes that, and nobody else uses it'),
  json: () => new Option('--json', 'print the result as JSON'),
  quiet: () => new Option('-q, --quiet', 'say nothing but errors'),
  follow: () => new Option('-f, --follow', 'go on as the log grows'),
  lines: () => new Option('-n, --lines <count>', 'only the last lines').argParser(count),
  shared: () => new Option('--shared', 'share the lock with others who share it'),
  close: () =>
    new Option(
      '-o, --close',
      'keep the lock from the command, so that nothing it leaves running holds it on',
    ),
  in: () =>
    new Option(
      '--in <place>',
      'where the lease is kept: a directory, s3://bucket/prefix, etcd://user:password@host:port,host:port/prefix, etcds:// for TLS, or ' +
        'postgres://user@host/database (default: "leases" in the nearest .howdah from here upwards)',
    ).argParser(nonEmpty),
  ttl: () =>
    new Option(
      '--ttl <seconds>',
      'how long the lease lasts if it is not renewed, at most 30 (default: 30)',
    ).argParser(ttl),
  grace: () =>
    new Option(
      '--grace <seconds>',
      'how long the command has between SIGTERM and SIGKILL (default: 5, less if --ttl is short)',
    ).argParser(seconds),
  owner: () =>
    new Option(
      '--owner <name>',
      'what waiting processes are told of the holder (default: host and pid)',
    ).argParser(nonEmpty),
  to: () =>
    new Option('--to <path>', 'what to make: a file, or a data directory').argParser(nonEmpty),
  toFile: () =>
    new Option(
      '--to <file>',
      'the file, which appears whole at the end and may be there already (default: standard output)',
    ).argParser(nonEmpty),
  singleTransaction: () =>
    new Option('-1, --single-transaction', 'all or nothing: an error takes back what came before'),
  roles: () =>
    new Option(
      '--roles',
      'make roles that the dump names and that are missing, without login (default: what it gives them is skipped)',
    ),
  txid: () =>
    new Option('--txid <id>', 'as it was after this transaction: 16 hex digits').argParser(txid),
  time: () =>
    new Option('--time <time>', 'as it was at this time, such as 2026-03-01T12:00:00Z').argParser(
      time,
    ),
  into: () =>
    new Option('--into <dir>', 'the directory for the backups, made if missing').argParser(
      nonEmpty,
    ),
  keep: () =>
    new Option(
      '--keep <number>',
      'keep so many backups, this one among them, and their WAL; remove the rest',
    ).argParser(ordinal),
  from: () => new Option('--from <dir>', 'the directory with the backups').argParser(nonEmpty),
  backup: () =>
    new Option(
      '--backup <number>',
      'the backup to begin with (default: the newest that will do)',
    ).argParser(ordinal),
  transaction: () =>
    new Option(
      '--transaction <id>',
      "as it was after this transaction: what txid_current() told, or a row's xmin",
    ).argParser(transaction),
  name: () =>
    new Option(
      '--name <name>',
      'as it was at this restore point, made with pg_create_restore_point()',
    ).argParser(nonEmpty),
  lsn: () =>
    new Option(
      '--lsn <lsn>',
      'as it was after the record of the WAL at this position, such as 16/B374D848',
    ).argParser(nonEmpty),
  exclusive: () => new Option('--exclusive', 'without what is at that very point'),
  timeline: () =>
    new Option(
      '--timeline <number>',
      'the timeline to follow (default: the newest that came of the backup)',
    ).argParser(ordinal),
  command: () => new Option('-c, --command <sql>', 'run this SQL and leave; can be repeated'),
  file: () =>
    new Option('-f, --file <file>', 'run the SQL in this file and leave; can be repeated'),
}

/** Makes a new option object for a command. */
export function declare(name: OptionName): Option {
  return declarations[name]()
}

function nonEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty.')
  return text
}

function setting(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const match = /^([A-Za-z_][\w.$]*)=(.*)$/su.exec(text)
  if (match === null) throw new InvalidArgumentError('Write it as NAME=VALUE.')
  const [, name = '', value = ''] = match
  return { ...before, [name]: value }
}

function port(text: string): boolean | number {
  if (text === '') return true
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < 1 || number > 65_535) {
    throw new InvalidArgumentError('It is not a port: 1 to 65535.')
  }
  return number
}

/** In ms. */
function seconds(text: string): number {
  if (!/^\d{1,9}(?:\.\d+)?$/.test(text))
    throw new InvalidArgumentError('It is not a number of seconds.')
  return Number(text) * 1000
}

/** Reads the duration of a lease, in ms. It is at most 30 s, since a lease is renewed while it is held. */
function ttl(text: string): number {
  const duration = seconds(text)
  if (duration === 0 || duration > 30_000)
    throw new InvalidArgumentError('It is more than 0 and at most 30; it is renewed meanwhile.')
  return duration
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is not a number of lines.')
  return Number(text)
}

function ordinal(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('It is not a number from 1 on.')
  return Number(text)
}

function transaction(text: string): bigint {
  if (!/^\d{1,20}$/.test(text)) throw new InvalidArgumentError('It is not a transaction id.')
  return BigInt(text)
}

function txid(text: string): bigint {
  if (!/^[0-9a-f]{16}$/i.test(text))
    throw new InvalidArgumentError('It takes 16 hex digits, as in the names of the files.')
  return BigInt(`0x${text}`)
}

/** Reads a time in RFC 3339, which always names its time zone. */
function time(text: string): Time {
  const match = /^(\d{4}-\d\d-\d\d)[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/.exec(text)
  const date = new Date(text.replace(' ', 'T').toUpperCase())
  // The parser reads the 31st of February as a day in March.
  const day = new Date(`${match?.[1]}T00:00:00Z`)
  const isDay = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(match?.[1] ?? '')
  if (match === null || !isDay || Number.isNaN(date.getTime())) {
    throw new InvalidArgumentError('Write it as 2026-03-01T12:00:00Z, or +02:00 instead of Z.')
  }
  return { date, text }
}
