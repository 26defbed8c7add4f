import type { Declaration } from '../command.ts'
import { cluster, login, server } from './usual-options.ts'

/** The commands below "Server" in the help. */
export const serverCommands: readonly Declaration[] = [
  {
    name: 'start',
    group: 'Server',
    summary: 'start the server, to run until it is stopped',
    description:
      'Starts the server, creating the cluster if there is none. It runs until "howdah stop".',
    options: [...cluster, 'database', ...login, ...server, 'empty', 'ifExists', 'json'],
    load: async () => (await import('../usual-commands.ts')).start,
  },
  {
    name: 'stop',
    group: 'Server',
    summary: 'stop the server, if nobody uses it',
    options: [...cluster, 'timeout', 'force', 'json'],
    load: async () => (await import('../usual-commands.ts')).stop,
  },
  {
    name: 'status',
    group: 'Server',
    summary: 'print whether there is a cluster, whether its server runs, and who uses it',
    options: [...cluster, 'json'],
    load: async () => (await import('../usual-commands.ts')).status,
  },
  {
    name: 'ls',
    group: 'Server',
    summary: 'list the clusters of this machine and their users',
    description:
      'Lists the clusters of this machine that howdah knows (for root: those of all users), each with its data directory, version ' +
      'and status, and below it its users.',
    options: ['json', 'quiet'],
    load: async () => (await import('../../commands/machine/ls.ts')).ls,
  },
  {
    name: 'logs',
    group: 'Server',
    summary: "print the server's log",
    options: [...cluster, 'follow', 'lines'],
    load: async () => (await import('../usual-commands.ts')).logs,
  },
  {
    name: 'url',
    group: 'Server',
    summary: 'print the URL of the running server',
    description:
      'Prints the URL of the running server: over TCP if it was started with --tcp, otherwise over its socket.',
    options: [...cluster, 'database', 'socket', 'tcp', 'tls', 'json'],
    load: async () => (await import('../usual-commands.ts')).url,
  },
  {
    name: 'config',
    group: 'Server',
    operands: '<action> [args...]',
    actions: ['list', 'get', 'set', 'reset'],
    usage: '[options] list [pattern] | get <name> | set <name> <value> | reset <name>',
    summary: 'read or change the settings of the server: "list", "get", "set" or "reset"',
    description:
      'Reads or changes the settings of the server. A change holds for this and all later starts. It is applied at once, unless ' +
      'it needs a restart.\n"list" takes a part of a name, or a pattern such as "work*". "set" takes the value in the form of ' +
      'postgresql.conf, lists with commas; name=value as one word works, too.',
    options: [...cluster, ...server, 'all', 'restart', 'json'],
    load: async () => (await import('../../commands/databases/config.ts')).config,
  },
  {
    name: 'clone',
    group: 'Server',
    requires: ['to'],
    summary: 'copy the cluster, running or stopped, to another data directory',
    description:
      'Copies the cluster, running or stopped, into a new or empty data directory. The copy is independent and has its own system ' +
      'identifier. A running server goes on, and so do its users.',
    options: [...cluster, 'to', 'runtime', 'install', 'timeout', 'runAs', 'json'],
    load: async () => (await import('../../commands/backups/clone.ts')).clone,
  },
  {
    name: 'destroy',
    group: 'Server',
    summary: 'stop the server, if nobody uses it, and remove the cluster with all its data',
    description:
      'Stops the server, if nobody uses it, and removes the cluster with all its data. It is saved for 7 days: ' +
      '"howdah undo" brings it back.',
    options: [...cluster, 'timeout', 'yes', 'force', 'save', 'json'],
    load: async () => (await import('../usual-commands.ts')).destroy,
  },
  {
    name: 'reset',
    group: 'Server',
    summary: "replace the cluster by a new one: in a worktree by a fork of the main checkout's",
    description:
      "Replaces the cluster by a new one: in a linked worktree by a fork of the main checkout's cluster, elsewhere or with --empty " +
      'by one with what howdah.json asks for. ' +
      'The former cluster is saved for 7 days: "howdah undo" brings it back.\nWith --branch it replaces that branch by a new ' +
      'copy of the branch that it was copied from.',
    options: [
      'empty',
      ...cluster,
      'runtime',
      'install',
      'timeout',
      'runAs',
      'yes',
      'force',
      'save',
      'json',
    ],
    load: async () => (await import('../../commands/saving/reset.ts')).reset,
  },
  {
    name: 'upgrade',
    group: 'Server',
    operands: '[version]',
    usage: '[options] [version] | --drop-old',
    summary: 'make the cluster one of a newer major of PostgreSQL',
    description:
      'Makes the cluster one of a newer major of PostgreSQL, by default the newest that is found. The new cluster is made ' +
      'beside the old one, verified, and put in its place. The old one is kept beside it, until --drop-old removes it.\nNobody ' +
      'may use the cluster: others wait until it is done.',
    options: [...cluster, 'set', 'dropOld', 'install', 'timeout', 'runAs', 'json'],
    load: async () => (await import('../../commands/saving/upgrade.ts')).upgrade,
  },
  {
    name: 'undo',
    group: 'Server',
    operands: '[action]',
    actions: ['list', 'clear'],
    usage: '[options] [id | list | clear]',
    summary: 'bring back what was last destroyed or dropped; "list" or "clear" what is saved',
    description:
      'Brings back the cluster or the database that "howdah destroy", "howdah reset" or "howdah dropdb" removed last, or the one ' +
      'with the given id. What is there now is saved first. "list" lists what is saved here, "clear" removes it for good. ' +
      'Everything is saved for 7 days, and at most 1 GiB of clusters and 1 GiB of databases, except for the newest.',
    options: [...cluster, 'runtime', 'install', 'timeout', 'runAs', 'force', 'json'],
    load: async () => (await import('../../commands/saving/undo.ts')).undo,
  },
]
