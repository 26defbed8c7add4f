import { quote } from '@howdah/data-directory'

/** The `restore_command` of a server that recovers. It is run in the data directory, where the script lies. */
export const restoreCommand = `/bin/sh howdah.restore '%f' '%p'`

/** The name of the script in the data directory. */
export const restoreScriptName = 'howdah.restore'

/**
 * The script that fetches one WAL file from an archive.
 *
 * Status 1 says that there is no such file, which the server takes for the end of the WAL. Other failures must not look like
 * this, so they have a status above 125, with which the server gives up.
 */
export function restoreScript(wal: string): string {
  return `# Written by howdah. Fetches one WAL file: its name, and the path to put it.
from=${quote(wal)}
[ -e "$from/$1" ] || exit 1
cp -- "$from/$1" "$2" || exit 126
`
}
