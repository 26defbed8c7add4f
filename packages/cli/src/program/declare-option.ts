import { Option } from 'commander'
import {
  count,
  nonEmpty,
  ordinal,
  port,
  seconds,
  setting,
  transaction,
  ttl,
  txid,
} from './option-values.ts'
import type { OptionName } from './options.ts'

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
      nonEmpty,
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
