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
      'the data directory (default: $PGDATA, else .howdah/data in this project: the nearest directory upwards that has a ' +
        'howdah.json or a .howdah, or else the top of the work tree)',
    ).argParser(nonEmpty),
  branch: () =>
    new Option(
      '--branch <name>',
      'the branch of the cluster that "howdah branch NAME" has made; "main" is the cluster itself',
    ).argParser(nonEmpty),
  database: () =>
    new Option(
      '-d, --database <name>',
      'the database, made if missing (default: $PGDATABASE, else postgres)',
    ).argParser(nonEmpty),
  set: () =>
    new Option(
      '--set <name=value>',
      'a setting of the server, if this command starts it; can be repeated',
    ).argParser(setting),
  mode: () =>
    new Option(
      '--mode <mode>',
      'from now on "fast", so that a crash of the machine may destroy all data, or "safe" again',
    ).choices(['fast', 'safe']),
  as: () =>
    new Option(
      '--as <url>',
      'the URL by which this project connects: postgresql://user:password@localhost:5432/database',
    ).argParser(nonEmpty),
  user: () =>
    new Option(
      '--user <name>',
      'the superuser of a cluster that this command makes (default: $PGUSER, else your name)',
    ).argParser(nonEmpty),
  password: () =>
    new Option(
      '--password <password>',
      "the superuser's password over TCP, from now on (default for a new cluster: $PGPASSWORD)",
    ).argParser(nonEmpty),
  env: () =>
    new Option(
      '--env <name=template>',
      'a variable for the command; {url}, {base} (the URL without a database), {host}, {port}, {user}, {password}, ' +
        '{database}, {dataDir} and {authority} are filled in; can be repeated',
    ).argParser(setting),
  init: () =>
    new Option(
      '--init <glob>',
      'scripts to run in a cluster that this command makes: .sql, .sql.gz, .sh, or a directory of them; can be repeated',
    ).argParser((text, before?: readonly string[]) => [...(before ?? []), nonEmpty(text)]),
  locale: () =>
    new Option(
      '--locale <locale>',
      'the locale of a cluster that this command makes: en_US.UTF-8, icu:en-US, builtin:C.UTF-8 (default: C)',
    ).argParser(nonEmpty),
  trust: () =>
    new Option(
      '--trust',
      'a cluster that this command makes asks nobody on this machine for a password, not even over TCP',
    ),
  tcp: () =>
    new Option(
      '--tcp [port]',
      'also listen on localhost, with a password, at this port or any free one',
    ).argParser(port),
  tls: () =>
    new Option(
      '--tls',
      'listen on localhost and encrypt connections; DATABASE_URL makes clients verify the certificate of this server',
    ),
  runtime: () =>
    new Option(
      '--runtime <constraint>',
      'which PostgreSQL: a version (16, 16.3), its directory with or without bin, or a glob of directories',
    ).argParser(nonEmpty),
  install: () => new Option('--install', 'install the PostgreSQL that is needed, if it is missing'),
  linger: () =>
    new Option(
      '--linger <seconds>',
      'how long the server stays after its last user, for the next one',
    ).argParser(seconds),
  timeout: () =>
    new Option(
      '--timeout <seconds>',
      'how long to wait for other processes and for the server (default: no limit for processes)',
    ).argParser(seconds),
  runAs: () =>
    new Option('--run-as <user>', 'as root: the user that the server runs as').argParser(nonEmpty),
  destroy: () =>
    new Option(
      '--destroy',
      'destroy the cluster at the end; if this command made it, even after a SIGKILL',
    ),
  temporary: () =>
    new Option(
      '--temporary',
      'use a new cluster, in memory if there is room, and destroy it at the end, even after a SIGKILL',
    ).conflicts('datadir'),
  shadow: () =>
    new Option(
      '--shadow',
      'set SHADOW_DATABASE_URL to a database that is dropped at the end, as "prisma migrate dev" needs it',
    ),
  save: () =>
    new Option('--no-save', 'remove it for good, so that "howdah undo" cannot bring it back'),
  empty: () =>
    new Option(
      '--empty',
      "in a new worktree: begin with an empty cluster instead of a fork of the main checkout's cluster",
    ),
  done: () => new Option('--done', 'run nothing, and record that it was run already'),
  ifExists: () =>
    new Option('--if-exists', 'fail if there is no cluster, instead of making one').conflicts(
      'temporary',
    ),
  yes: () => new Option('-y, --yes', 'do not ask on a terminal whether it is meant'),
  socket: () => new Option('--socket', 'over the socket').conflicts(['tcp', 'tls']),
  force: () => new Option('--force', 'also while others use it, or if howdah did not make it'),
  dropOld: () => new Option('--drop-old', 'remove the old clusters that upgrades have kept'),
  all: () => new Option('--all', 'all of them, instead of one'),
  server: () =>
    new Option(
      '--server <url>',
      'an existing server, instead of those that howdah has started for tests',
    ).argParser(nonEmpty),
  fix: () => new Option('--fix', 'repair what is safe to repair'),
  clearTemplates: () =>
    new Option('--clear-templates', 'remove the templates from which new clusters are made'),
  here: () => new Option('--here', 'look only at this cluster, not at the rest of the machine'),
  restart: () =>
    new Option('--restart', 'restart the server if that is needed and nobody else uses it'),
  json: () => new Option('--json', 'print the result as JSON'),
  quiet: () => new Option('-q, --quiet', 'print only errors'),
  follow: () => new Option('-f, --follow', 'go on while the log grows'),
  lines: () => new Option('-n, --lines <count>', 'only the last lines').argParser(count),
  shared: () => new Option('-s, --shared', 'share the lock with others who share it'),
  nonblock: () => new Option('-n, --nonblock', 'fail at once if it is held, as with --timeout 0'),
  wait: () =>
    new Option('-w, --wait <seconds>', 'how long to wait, as --timeout').argParser(seconds),
  shellCommand: () =>
    new Option('-c, --command <command>', 'run this by the shell, instead of a command'),
  close: () =>
    new Option(
      '-o, --close',
      'do not pass the lock on to the command, so that no process it leaves behind holds the lock',
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
      'how long the lease lasts without a renewal, at most 30 (default: 30)',
    ).argParser(ttl),
  grace: () =>
    new Option(
      '--grace <seconds>',
      'how long the command has between SIGTERM and SIGKILL (default: 5, less if --ttl is short)',
    ).argParser(seconds),
  owner: () =>
    new Option(
      '--owner <name>',
      'the name of the holder for processes that wait (default: host and pid)',
    ).argParser(nonEmpty),
  to: () =>
    new Option('--to <path>', 'where to make it: a file, or a data directory').argParser(nonEmpty),
  toFile: () =>
    new Option(
      '--to <file>',
      'the file, which is written or replaced as a whole at the end (default: standard output)',
    ).argParser(nonEmpty),
  toDatabase: () =>
    new Option(
      '--to <database>',
      'the database to make or replace (default: the one that was saved)',
    ).argParser(nonEmpty),
  template: () =>
    new Option(
      '--template <database>',
      'the database to copy, to which nobody may be connected (default: template1)',
    ).argParser(nonEmpty),
  replace: () => new Option('--replace', 'replace a snapshot of the same name'),
  singleTransaction: () =>
    new Option(
      '-1, --single-transaction',
      'load everything or nothing: an error takes back what came before it',
    ),
  roles: () =>
    new Option(
      '--roles',
      'make the missing roles that the dump names, without login (default: skip what it grants to them)',
    ),
  txid: () =>
    new Option('--txid <id>', 'the state after this transaction: 16 hex digits').argParser(txid),
  time: () =>
    new Option('--time <time>', 'the state at this time, such as 2026-03-01T12:00:00Z').argParser(
      nonEmpty,
    ),
  into: () =>
    new Option(
      '--into <dir>',
      'the directory for the backups, which is made if it is missing',
    ).argParser(nonEmpty),
  keep: () =>
    new Option(
      '--keep <number>',
      'how many backups to keep, this one included, with their WAL; the rest is removed',
    ).argParser(ordinal),
  from: () => new Option('--from <dir>', 'the directory with the backups').argParser(nonEmpty),
  backup: () =>
    new Option(
      '--backup <number>',
      'the backup to begin with (default: the newest possible one)',
    ).argParser(ordinal),
  transaction: () =>
    new Option(
      '--transaction <id>',
      "the state after this transaction: the result of txid_current(), or a row's xmin",
    ).argParser(transaction),
  name: () =>
    new Option(
      '--name <name>',
      'the state at this restore point, made by pg_create_restore_point()',
    ).argParser(nonEmpty),
  lsn: () =>
    new Option(
      '--lsn <lsn>',
      'the state after the WAL record at this position, such as 16/B374D848',
    ).argParser(nonEmpty),
  exclusive: () => new Option('--exclusive', 'leave out what is at exactly that point'),
  timeline: () =>
    new Option(
      '--timeline <number>',
      'the timeline to follow (default: the newest one that branched from the backup)',
    ).argParser(ordinal),
  sql: () => new Option('-c, --command <sql>', 'run this SQL and leave; can be repeated'),
  file: () =>
    new Option('-f, --file <file>', 'run the SQL in this file and leave; can be repeated'),
}

/** Makes a new option object for a command. */
export function declare(option: OptionName | Option): Option {
  return typeof option === 'string' ? declarations[option]() : option
}
