import type { Declaration } from '../command.ts'
import { cluster, login, server } from './usual-options.ts'

/** The commands below "Databases" in the help. */
export const databaseCommands: readonly Declaration[] = [
  {
    name: 'createdb',
    group: 'Databases',
    operands: '<name>',
    summary: 'create a database',
    options: ['template', ...cluster, ...server, 'empty', 'ifExists', 'force', 'json'],
    load: async () => (await import('../usual-commands.ts')).createdb,
  },
  {
    name: 'dropdb',
    group: 'Databases',
    operands: '<name>',
    summary: 'drop a database',
    description: 'Drops a database. It is saved for 7 days: "howdah undo" brings it back.',
    options: [...cluster, ...server, 'save', 'json'],
    load: async () => (await import('../usual-commands.ts')).dropdb,
  },
  {
    name: 'databases',
    group: 'Databases',
    summary: 'list the databases',
    options: [...cluster, ...server, 'json'],
    load: async () => (await import('../usual-commands.ts')).databases,
  },
  {
    name: 'superusers',
    group: 'Databases',
    summary: 'list the superusers that can log in',
    options: [...cluster, 'runtime', 'install', 'timeout', 'runAs', 'json'],
    load: async () => (await import('../usual-commands.ts')).superusers,
  },
  {
    name: 'dump',
    group: 'Databases',
    usage: '[options] [-- args...]',
    summary: 'write a database as SQL, as pg_dump does',
    description:
      'Writes a database as SQL, to standard output or into a file. It uses a pg_dump of this machine that is at least as ' +
      'new as the server, or else the pg_dump 18 that comes with howdah.\nWords after -- are options of pg_dump, such as ' +
      '--schema-only or --table=users.',
    options: [...cluster, 'database', 'toFile', ...server, 'json'],
    takesRest: true,
    load: async () => (await import('../../commands/databases/dump.ts')).dump,
  },
  {
    name: 'load',
    group: 'Databases',
    operands: '[file]',
    summary: 'load a dump into a database, from a file or standard input',
    description:
      'Loads a dump into a database, which is made if it is missing. It stops at the first error, and shows the line of the ' +
      'error. It reads SQL as pg_dump writes it, also with gzip or zstd, and the other formats of pg_dump if there is a pg_restore.',
    options: [
      ...([...cluster, 'database', 'singleTransaction', 'roles', ...login, ...server] as const),
      ...(['linger', 'empty', 'ifExists', 'json'] as const),
    ],
    load: async () => (await import('../../commands/databases/load.ts')).load,
  },
  {
    name: 'apply',
    group: 'Databases',
    operands: '[what]',
    usage: '[options] [init | seed]',
    actions: ['init', 'seed'],
    summary: 'run init and seed of howdah.json on the existing cluster, if they have changed',
    description:
      'Runs "init" and "seed" of the project\'s howdah.json on the existing cluster: those that have changed since they ran, or ' +
      'the one that is named. It stops at the first error; what ran before the error stays.',
    options: [...cluster, ...server, 'done', 'json'],
    load: async () => (await import('../../commands/databases/apply.ts')).apply,
  },
  {
    name: 'testdb',
    group: 'Databases',
    operands: '<action> [names...]',
    actions: ['ls', 'drop', 'shell'],
    usage: '[options] ls | drop <name...> | drop --all | shell <name>',
    summary: 'list, drop or open the databases that @howdah/testing has made for tests',
    description:
      '"ls" lists the databases and templates that @howdah/testing has made for tests, and their owners. "drop" drops databases ' +
      'that nobody owns. "shell" opens a shell on one, for example after its test has failed.',
    options: ['server', 'all', 'json', 'quiet'],
    load: async () => (await import('../../commands/databases/testdb.ts')).testdb,
  },
]
