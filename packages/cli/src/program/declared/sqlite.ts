import type { Declaration } from './declaration.ts'

/** The commands below "SQLite" in the help. */
export const sqliteCommands: readonly Declaration[] = [
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
    load: async () => (await import('../../commands/replica.ts')).replica,
  },
]
