import type { Declaration } from '../command.ts'
import { cluster } from './usual-options.ts'

/** The commands below "Backups" in the help. */
export const backupCommands: readonly Declaration[] = [
  {
    name: 'backup',
    group: 'Backups',
    requires: ['into'],
    summary: 'back up the cluster into a directory, and archive its WAL there from then on',
    description:
      'Backs up the cluster into a directory. From then on the server archives its WAL there, so that you can restore the ' +
      'cluster to any later time. A running server has to be restarted the first time, which happens only if nobody else uses it.',
    options: ['into', 'keep', ...cluster, 'runtime', 'install', 'timeout', 'runAs', 'json'],
    load: async () => (await import('../../commands/backups/backup.ts')).backup,
  },
  {
    name: 'restore',
    group: 'Backups',
    requires: ['from', 'to'],
    summary: 'make a cluster from a backup and the WAL after it, up to the end or an earlier point',
    description:
      'Makes a cluster from a backup and the WAL that was archived after it, up to the end or up to the given point. Its server ' +
      'is not started.\nAn existing cluster can be used until the new one is complete. Then it is saved for 7 days: ' +
      '"howdah undo" brings it back.',
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
    summary: 'read all backups in a directory and their WAL, and report what is wrong',
    description:
      'Reads all backups in a directory and all WAL after the first backup, and reports what is wrong: files that are missing or ' +
      'have changed, and gaps in the WAL. Nothing is changed.',
    options: ['timeout', 'json', 'quiet'],
    notes: 'Exit status: 1 if anything is wrong.',
    load: async () => (await import('../../commands/backups/verify.ts')).verify,
  },
]
