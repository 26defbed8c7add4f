import { shellWord } from '@howdah/cluster/inside'

/** The command that opens a shell on a database of a cluster, to be pasted into a terminal. */
export function shellCommand(dataDir: string, database: string): string {
  return `howdah shell -D ${shellWord(dataDir)} -d ${shellWord(database)}`
}
