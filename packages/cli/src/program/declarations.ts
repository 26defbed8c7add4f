import { backupCommands } from './declared/backups.ts'
import { copyCommands } from './declared/copies.ts'
import { databaseCommands } from './declared/databases.ts'
import { lockAndLeaseCommands } from './declared/locks-and-leases.ts'
import { postgresqlCommands } from './declared/postgresql.ts'
import { serverCommands } from './declared/server.ts'
import { sqliteCommands } from './declared/sqlite.ts'
import { useCommands } from './declared/use.ts'
import type { Declaration } from './command.ts'

/** All commands, in the order of the help. */
export const declarations: readonly Declaration[] = [
  ...useCommands,
  ...serverCommands,
  ...databaseCommands,
  ...copyCommands,
  ...backupCommands,
  ...postgresqlCommands,
  ...lockAndLeaseCommands,
  ...sqliteCommands,
]
