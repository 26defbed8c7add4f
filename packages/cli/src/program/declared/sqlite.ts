import type { Declaration } from '../command.ts'

/** The commands below "SQLite" in the help. */
export const sqliteCommands: readonly Declaration[] = [
  {
    name: 'replica',
    group: 'SQLite',
    operands: '<action> <path>',
    usage: '[options] ls <path> | verify <path> | restore <path> --to <file>',
    actions: ['ls', 'verify', 'restore'],
    summary: '"ls", "verify" or "restore" a replica of a SQLite database, as litestream makes them',
    description:
      'Reads a replica of a SQLite database: LTX files, or the files of litestream 0.3. The path is a directory, or a file:// or ' +
      's3://bucket/path URL. S3 needs @aws-sdk/client-s3, installed beside howdah, and its usual variables, such as ' +
      'AWS_PROFILE and AWS_ENDPOINT_URL.\n"ls" lists its files. "verify" reads all of them, and reports every state that cannot ' +
      'be restored, and why. "restore" makes a new database file, by default with the latest state.',
    options: ['to', 'txid', 'time', 'json', 'quiet'],
    notes: 'Exit status of verify: 1 if anything is wrong.',
    load: async () => (await import('../../commands/replica.ts')).replica,
  },
]
