import type { Command } from './command.ts'
import type { OptionName } from './options.ts'

/** The declaration of a command for the command line. The command itself is loaded when it is used. */
export interface Declaration {
  readonly name: string
  /** Its operands, in the notation of commander. */
  readonly operands?: string
  /** The arguments in its help, if they differ from the operands. */
  readonly usage?: string
  /** One line, in the list of commands. */
  readonly summary: string
  /** The text of its own help, if it has more than the summary. */
  readonly description?: string
  readonly options: readonly OptionName[]
  /** Text for the end of its help. */
  readonly notes?: string
  /** The first operand is the name of another program, and everything after it belongs to that program. */
  readonly passesThrough?: true
  /** Words after `--` are passed on unchanged. */
  readonly takesRest?: true
  /** Its exit status is that of another program, so its own failures have special statuses. */
  readonly runsProgram?: true
  /** The heading in the list of commands. */
  readonly group: Group
  load(): Promise<Command>
}

type Group =
  | 'Use'
  | 'Server'
  | 'Databases'
  | 'Backups'
  | 'PostgreSQL'
  | 'Locks and leases'
  | 'SQLite'

const place = ['datadir', 'quiet'] as const
const login = ['as', 'user', 'password', 'init', 'locale', 'trust'] as const
const server = ['set', 'mode', 'tcp', 'tls', 'runtime', 'install', 'timeout', 'runAs'] as const

/** All commands, in the order of the help. */
export const declarations: readonly Declaration[] = [
  {
    name: 'shell',
    group: 'Use',
    summary:
      'psql, or a small built-in prompt if there is no psql (what howdah does if no command is given)',
    description:
      'Starts psql, or a small built-in prompt if there is no psql. SQL from -c, -f or, if it is not a terminal, from ' +
      'stdin is run up to the first error.\nWhat follows -- is handed on to psql.',
    options: [
      ...(['command', 'file', ...place, 'database', ...login, 'env', ...server] as const),
      ...(['linger', 'destroy', 'temporary', 'empty'] as const),
    ],
    notes:
      'Exit status: that of psql, and the same from the built-in prompt: 1 after a failed -c, 3 after a\n' +
      "failed -f or stdin. howdah's own failures are 125.",
    usage: '[options] [-- args...]',
    takesRest: true,
    runsProgram: true,
    load: async () => (await import('../commands/shell.ts')).shell,
  },
  {
    name: 'exec',
    group: 'Use',
    operands: '<command> [args...]',
    summary: 'run a command with DATABASE_URL and the PG* variables set',
    description:
      'Runs a command with DATABASE_URL and the PG* variables set. The server is started if it does not run, and stopped ' +
      'when its last user has left.',
    options: [
      ...([...place, 'database', ...login, 'env', ...server] as const),
      ...(['linger', 'destroy', 'temporary', 'empty', 'shadow'] as const),
    ],
    notes:
      'Exit status: that of the command, or 128 and the number of the signal that ended it. 125 if\n' +
      'howdah itself failed, 126 if the command cannot be run, 127 if it is not found.',
    passesThrough: true,
    runsProgram: true,
    load: async () => (await import('./usual-commands.ts')).exec,
  },
  {
    name: 'start',
    group: 'Server',
    summary: 'start the server, to run until it is stopped',
    description:
      'Starts the server, creating the cluster if there is none. It runs until "howdah stop".',
    options: [...place, 'database', ...login, ...server, 'empty', 'json'],
    load: async () => (await import('./usual-commands.ts')).start,
  },
  {
    name: 'stop',
    group: 'Server',
    summary: 'stop the server, if nobody uses it',
    options: [...place, 'timeout', 'force', 'json'],
    load: async () => (await import('./usual-commands.ts')).stop,
  },
  {
    name: 'status',
    group: 'Server',
    summary: 'say what there is, whether it runs, and who uses it',
    options: [...place, 'json'],
    load: async () => (await import('./usual-commands.ts')).status,
  },
  {
    name: 'ls',
    group: 'Server',
    summary: 'list the clusters of this machine, and who uses them',
    description:
      'Lists the clusters of this machine that howdah knows, of root those of all users: the data directory, the version, ' +
      'what it does, and since when; and below, who uses it.',
    options: ['json', 'quiet'],
    load: async () => (await import('../commands/machine/ls.ts')).ls,
  },
  {
    name: 'logs',
    group: 'Server',
    summary: "print the server's log",
    options: [...place, 'follow', 'lines'],
    load: async () => (await import('./usual-commands.ts')).logs,
  },
  {
    name: 'url',
    group: 'Server',
    summary: 'print the URL of the running server',
    options: [...place, 'database', 'tcp', 'tls', 'json'],
    load: async () => (await import('./usual-commands.ts')).url,
  },
  {
    name: 'config',
    group: 'Server',
    operands: '<action> [args...]',
    usage: '[options] list [pattern] | get <name> | set <name> <value> | reset <name>',
    summary: '"list", "get", "set" or "reset" the settings of the server',
    description:
      'Reads or changes the settings of the server. What is set is kept with the cluster, for this and all later starts, ' +
      'and applied at once unless that takes a restart.\n"list" takes a part of a name, or a pattern such as "work*". ' +
      '"set" takes the value as postgresql.conf does, lists with commas, or name=value as one word.',
    options: [...place, ...server, 'all', 'restart', 'json'],
    load: async () => (await import('../commands/databases/config.ts')).config,
  },
  {
    name: 'clone',
    group: 'Server',
    usage: '[options] --to <path>',
    summary: 'copy the cluster, running or stopped, to another place',
    description:
      'Copies the cluster, running or stopped, into another data directory, new or empty: a cluster of its own, with a ' +
      'system identifier of its own. A server that runs goes on, and so do its users.',
    options: [...place, 'to', 'runtime', 'install', 'timeout', 'runAs', 'json'],
    load: async () => (await import('../commands/backups/clone.ts')).clone,
  },
  {
    name: 'destroy',
    group: 'Server',
    summary: 'stop the server, if nobody uses it, and remove the cluster with all its data',
    description:
      'Stops the server, if nobody uses it, and removes the cluster with all its data. What it was is kept for 7 days, and ' +
      '"howdah undo" brings it back.',
    options: [...place, 'timeout', 'force', 'save', 'json'],
    load: async () => (await import('./usual-commands.ts')).destroy,
  },
  {
    name: 'reset',
    group: 'Server',
    summary: "in a worktree: make its cluster anew, as a fork of the main checkout's",
    description:
      "Makes the cluster of a linked worktree anew, as a fork of the main checkout's cluster or, with --empty, as an empty " +
      'one. What was there is kept for 7 days, and "howdah undo" brings it back.',
    options: ['empty', ...place, 'runtime', 'install', 'timeout', 'runAs', 'force', 'save', 'json'],
    load: async () => (await import('../commands/keeping/reset.ts')).reset,
  },
  {
    name: 'undo',
    group: 'Server',
    operands: '[action]',
    usage: '[options] [id | list | clear]',
    summary: 'bring back what was destroyed or dropped last; "list" or "clear" what is saved',
    description:
      'Brings back the cluster or the database that "howdah destroy", "howdah reset" or "howdah dropdb" has removed last, or ' +
      'the one of that id. What is in its place now is saved first. "list" lists what is saved here, "clear" removes it for ' +
      'good. It is kept for 7 days, and 1 GiB of clusters and of databases at most, except for the newest.',
    options: [...place, 'runtime', 'install', 'timeout', 'runAs', 'force', 'json'],
    load: async () => (await import('../commands/keeping/undo.ts')).undo,
  },
  {
    name: 'createdb',
    group: 'Databases',
    operands: '<name>',
    summary: 'create a database',
    options: [...place, ...server, 'empty', 'json'],
    load: async () => (await import('./usual-commands.ts')).createdb,
  },
  {
    name: 'dropdb',
    group: 'Databases',
    operands: '<name>',
    summary: 'drop a database',
    description:
      'Drops a database. What it was is kept for 7 days, and "howdah undo" brings it back.',
    options: [...place, ...server, 'save', 'json'],
    load: async () => (await import('./usual-commands.ts')).dropdb,
  },
  {
    name: 'databases',
    group: 'Databases',
    summary: 'list the databases',
    options: [...place, ...server, 'json'],
    load: async () => (await import('./usual-commands.ts')).databases,
  },
  {
    name: 'superusers',
    group: 'Databases',
    summary: 'list the roles that are superuser and can log in',
    options: [...place, 'runtime', 'install', 'timeout', 'runAs', 'json'],
    load: async () => (await import('./usual-commands.ts')).superusers,
  },
  {
    name: 'dump',
    group: 'Databases',
    usage: '[options] [-- args...]',
    summary: 'write a database as SQL, as pg_dump does',
    description:
      'Writes a database as SQL, to standard output or into a file. It takes the pg_dump of this machine that is at least as ' +
      'new as the server, or else the pg_dump 18 that howdah has with it.\nWhat follows -- are options of pg_dump, such as ' +
      '--schema-only or --table=users.',
    options: [...place, 'database', 'toFile', ...server, 'json'],
    takesRest: true,
    load: async () => (await import('../commands/databases/dump.ts')).dump,
  },
  {
    name: 'load',
    group: 'Databases',
    operands: '[file]',
    summary: 'load a dump into a database, from a file or standard input',
    description:
      'Loads a dump into a database, which is made if it is missing, up to the first error, which is shown with its line. It ' +
      'takes SQL as pg_dump writes it, also with gzip or zstd, and other formats of pg_dump if there is a pg_restore.',
    options: [
      ...([...place, 'database', 'singleTransaction', 'roles', ...login, ...server] as const),
      ...(['linger', 'empty', 'json'] as const),
    ],
    load: async () => (await import('../commands/databases/load.ts')).load,
  },
  {
    name: 'testdb',
    group: 'Databases',
    operands: '<action> [names...]',
    usage: '[options] ls | drop <name...> | drop --all | shell <name>',
    summary: 'list, drop or open the databases that @howdah/testing has made for tests',
    description:
      'Lists the databases and templates that @howdah/testing has made for tests, and their owners; drops those that ' +
      'nobody owns; or opens a shell on one, such as that of a test that has failed.',
    options: ['server', 'all', 'json', 'quiet'],
    load: async () => (await import('../commands/databases/testdb.ts')).testdb,
  },
  {
    name: 'backup',
    group: 'Backups',
    summary: 'back up the cluster into a directory, and archive its WAL there from then on',
    description:
      'Backs up the cluster into a directory, and sees to it that the server archives its WAL there from then on, so that ' +
      'the cluster can be restored as it was at any time since. The first time, a server that runs is restarted for that, ' +
      'if nobody else uses it.',
    options: ['into', 'keep', ...place, 'runtime', 'install', 'timeout', 'runAs', 'json'],
    load: async () => (await import('../commands/backups/backup.ts')).backup,
  },
  {
    name: 'restore',
    group: 'Backups',
    summary: 'make a cluster of a backup and the WAL since, up to the end or a point before it',
    description:
      'Makes a cluster of a backup and the WAL that was archived since: as it was in the end, or at the point that is ' +
      'asked for. It is not started.\nA cluster that is there is used until the new one is whole. Then it is kept for 7 days, ' +
      'and "howdah undo" brings it back.',
    options: [
      ...(['from', 'to', 'time', 'transaction', 'name', 'lsn', 'exclusive'] as const),
      ...(['backup', 'timeline', 'runtime', 'timeout', 'runAs', 'force', 'save'] as const),
      ...(['json', 'quiet'] as const),
    ],
    load: async () => (await import('../commands/backups/restore.ts')).restore,
  },
  {
    name: 'verify',
    group: 'Backups',
    operands: '<dir>',
    summary: 'read all backups in a directory, and their WAL, and say what is wrong',
    description:
      'Reads all backups in a directory and the WAL that was archived since the first of them, and says what is wrong: ' +
      'files that are missing or have changed, and gaps in the WAL. Nothing is changed.',
    options: ['timeout', 'json', 'quiet'],
    notes: 'Exit status: 1 if anything is wrong.',
    load: async () => (await import('../commands/backups/verify.ts')).verify,
  },
  {
    name: 'runtimes',
    group: 'PostgreSQL',
    operands: '[action] [version]',
    summary: 'list the PostgreSQLs found here, "install VERSION" or "remove VERSION"',
    description:
      'Lists the PostgreSQLs found here; * marks the one that would be used. "howdah runtimes install 16" fetches one ' +
      'from npm, "howdah runtimes remove 16" removes it again.',
    options: [...place, 'runtime', 'force', 'json'],
    load: async () => (await import('../commands/machine/runtimes.ts')).runtimes,
  },
  {
    name: 'doctor',
    group: 'PostgreSQL',
    summary: 'say what is wrong here and how to mend it; --fix mends what is safe to mend',
    description:
      'Looks for what is wrong with the cluster here and with others of howdah on this machine, and with what they need: ' +
      'stray servers, shared memory, pid files and links that were left behind, unfinished work, owners and ' +
      'permissions, PostgreSQLs that do not run, limits of the system. Each is named with its cure.\n--fix mends what ' +
      'is provably left behind, or safe to mend otherwise, after looking again; nothing that is used is touched.',
    options: [...place, 'fix', 'here', 'clearTemplates', 'json'],
    notes: 'Exit status: 0 if nothing is wrong, or all was mended; 1 if something is.',
    load: async () => (await import('../commands/machine/doctor.ts')).doctor,
  },
  {
    name: 'agents',
    group: 'PostgreSQL',
    summary: 'print a section for AGENTS.md: what a coding agent has to know of howdah',
    description:
      'Prints a section for AGENTS.md, CLAUDE.md or the like: what a coding agent has to know of howdah.',
    options: [],
    load: async () => (await import('../commands/keeping/agents.ts')).agents,
  },
  {
    name: 'lock',
    group: 'Locks and leases',
    operands: '<path>',
    usage: '[options] <path> [-- <command> [args...]]',
    summary: 'run a command while holding a lock on a file or directory, or say who holds it',
    description:
      'Waits for the lock on a file, which is made if it is missing, or on a directory, and runs a command while holding ' +
      'it. It is a lock of flock(2), and excludes flock(1) and all others who use that. The command inherits it, so ' +
      'that it lasts until the command and all that it started have ended, even if howdah itself is killed. With ' +
      '--close only howdah has it.\nWithout a command, says who holds ' +
      'the lock and who waits for it, without taking it (on Linux).',
    options: ['shared', 'close', 'timeout', 'json', 'quiet'],
    notes:
      'Exit status: that of the command, or 128 and the number of the signal that ended it. 125 if the\n' +
      'lock was not acquired in time, or howdah itself failed, 126 if the command cannot be run, 127 if\n' +
      'it is not found.',
    takesRest: true,
    runsProgram: true,
    load: async () => (await import('./usual-commands.ts')).lock,
  },
  {
    name: 'lease',
    group: 'Locks and leases',
    operands: '<name> [of]',
    usage: '[options] <name> -- <command> [args...] | show <name> | reset <name>',
    summary:
      'run a command while holding a lease, so that one at a time runs, on one machine or on many',
    description:
      'Waits for the lease of that name, and runs a command while holding it. The command is ended, by SIGTERM and then ' +
      'SIGKILL, before the lease can be lost, even if howdah itself is stopped or killed.\nIn its environment are ' +
      'HOWDAH_LEASE_GENERATION, the fencing token, which is higher for each holder, and HOWDAH_LEASE_OWNER.\n"show" ' +
      'says who holds the lease, without taking it. "reset" frees one that is corrupt or claims to last too long, and ' +
      'with --force one that is held: make sure first that nobody acts under it.',
    options: ['in', 'ttl', 'grace', 'timeout', 'owner', 'force', 'json', 'quiet'],
    notes:
      'Exit status: that of the command, or 128 and the number of the signal that ended it. 125 if the\n' +
      'lease was not acquired in time, was lost, or howdah itself failed, 126 if the command cannot be\n' +
      'run, 127 if it is not found.',
    takesRest: true,
    runsProgram: true,
    load: async () => (await import('../commands/lease/lease.ts')).lease,
  },
  {
    name: 'replica',
    group: 'SQLite',
    operands: '<action> <path>',
    summary: '"ls", "verify" or "restore" a replica of a SQLite database, as litestream keeps them',
    description:
      'Reads a replica of a SQLite database: LTX files, or what litestream 0.3 wrote. The path is that of a directory, or a ' +
      'file:// or s3://bucket/path URL. S3 takes @aws-sdk/client-s3, installed beside howdah, and its usual variables, such ' +
      'as AWS_PROFILE and AWS_ENDPOINT_URL.\n"ls" lists its files. "verify" reads all of them, and says what keeps any ' +
      'state from being restored. "restore" makes the database, its latest state if nothing else is asked for; nothing may be there.',
    options: ['to', 'txid', 'time', 'json', 'quiet'],
    notes: 'Exit status of verify: 1 if anything is wrong.',
    load: async () => (await import('../commands/replica.ts')).replica,
  },
]
