import type { Declaration } from './declaration.ts'
import { cluster, login, server } from './usual-options.ts'

/** The commands below "Server" in the help. */
export const serverCommands: readonly Declaration[] = [
  {
    name: 'start',
    group: 'Server',
    summary: 'start the server, to run until it is stopped',
    description:
      'Starts the server, creating the cluster if there is none. It runs until "howdah stop".',
    options: [...cluster, 'database', ...login, ...server, 'empty', 'json'],
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
    summary: 'say what there is, whether it runs, and who uses it',
    options: [...cluster, 'json'],
    load: async () => (await import('../usual-commands.ts')).status,
  },
  {
    name: 'ls',
    group: 'Server',
    summary: 'list the clusters of this machine, and who uses them',
    description:
      'Lists the clusters of this machine that howdah knows, of root those of all users: the data directory, the version, ' +
      'what it does, and since when; and below, who uses it.',
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
    options: [...cluster, 'database', 'tcp', 'tls', 'json'],
    load: async () => (await import('../usual-commands.ts')).url,
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
    options: [...cluster, ...server, 'all', 'restart', 'json'],
    load: async () => (await import('../../commands/databases/config.ts')).config,
  },
  {
    name: 'clone',
    group: 'Server',
    usage: '[options] --to <path>',
    summary: 'copy the cluster, running or stopped, to another place',
    description:
      'Copies the cluster, running or stopped, into another data directory, new or empty: a cluster of its own, with a ' +
      'system identifier of its own. A server that runs goes on, and so do its users.',
    options: [...cluster, 'to', 'runtime', 'install', 'timeout', 'runAs', 'json'],
    load: async () => (await import('../../commands/backups/clone.ts')).clone,
  },
  {
    name: 'destroy',
    group: 'Server',
    summary: 'stop the server, if nobody uses it, and remove the cluster with all its data',
    description:
      'Stops the server, if nobody uses it, and removes the cluster with all its data. What it was is kept for 7 days, and ' +
      '"howdah undo" brings it back.',
    options: [...cluster, 'timeout', 'force', 'save', 'json'],
    load: async () => (await import('../usual-commands.ts')).destroy,
  },
  {
    name: 'reset',
    group: 'Server',
    summary: "in a worktree: make its cluster anew, as a fork of the main checkout's",
    description:
      "Makes the cluster of a linked worktree anew, as a fork of the main checkout's cluster or, with --empty, as an empty " +
      'one. What was there is kept for 7 days, and "howdah undo" brings it back.',
    options: [
      'empty',
      ...cluster,
      'runtime',
      'install',
      'timeout',
      'runAs',
      'force',
      'save',
      'json',
    ],
    load: async () => (await import('../../commands/saving/reset.ts')).reset,
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
    options: [...cluster, 'runtime', 'install', 'timeout', 'runAs', 'force', 'json'],
    load: async () => (await import('../../commands/saving/undo.ts')).undo,
  },
]
