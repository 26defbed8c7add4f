import type { Declaration } from './declaration.ts'
import { cluster } from './usual-options.ts'

/** The commands below "Backups" in the help. */
export const backupCommands: readonly Declaration[] = [
  {
    name: 'backup',
    group: 'Backups',
    summary: 'back up the cluster into a directory, and archive its WAL there from then on',
    description:
      'Backs up the cluster into a directory, and sees to it that the server archives its WAL there from then on, so that ' +
      'the cluster can be restored as it was at any time since. The first time, a server that runs is restarted for that, ' +
      'if nobody else uses it.',
    options: ['into', 'keep', ...cluster, 'runtime', 'install', 'timeout', 'runAs', 'json'],
    load: async () => (await import('../../commands/backups/backup.ts')).backup,
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
    load: async () => (await import('../../commands/backups/restore.ts')).restore,
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
    load: async () => (await import('../../commands/backups/verify.ts')).verify,
  },
]
