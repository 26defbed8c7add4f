import type { Declaration } from '../command.ts'
import { cluster, server } from './usual-options.ts'

/** The commands about copies, which stand below "Databases" and "Server" in the help: snapshots of a database, and branches of the cluster. */
export const copyCommands: readonly Declaration[] = [
  {
    name: 'snapshot',
    group: 'Databases',
    operands: '<action> [name]',
    usage: '[options] save <name> | restore <name> | list | drop <name>',
    summary: '"save", "restore", "list" or "drop" snapshots of a database',
    description:
      'Saves the content of a database under a name, by a copy within the server, and puts it back. Nobody may be connected to ' +
      'the database meanwhile: on a terminal it asks whether to end the sessions of others, elsewhere --force does so.\n' +
      '"restore" keeps the owner, the settings, the rights and the comment of the database. What was in it is saved for 7 days: ' +
      '"howdah undo" brings it back. "list" lists the snapshots of all databases, or of one with -d.',
    options: [
      ...(['database', 'toDatabase', 'replace', 'force', 'save'] as const),
      ...([...cluster, ...server, 'json'] as const),
    ],
    load: async () => (await import('../../commands/databases/snapshot.ts')).snapshot,
  },
  {
    name: 'branch',
    group: 'Server',
    operands: '[action] [name]',
    usage: '[options] <name> | list | drop <name>',
    summary: 'make a branch of the cluster: a copy with a name; "list" or "drop" branches',
    description:
      'Makes a branch of the cluster: a copy, running or stopped, with all databases, as a cluster of its own. Every command ' +
      'uses it with --branch NAME. A branch of a branch is made with --branch, too. On file systems such as Btrfs, XFS and ' +
      'APFS a branch takes no room until something changes.\n"list" lists the branches. "drop" drops one. It is saved ' +
      'for 7 days: "howdah undo --branch NAME" brings it back.',
    options: [
      ...([
        'datadir',
        'branch',
        'runtime',
        'install',
        'timeout',
        'runAs',
        'force',
        'save',
      ] as const),
      ...(['json', 'quiet'] as const),
    ],
    load: async () => (await import('../../commands/saving/branch.ts')).branch,
  },
]
