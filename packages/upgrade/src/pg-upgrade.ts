import { readdirSync } from 'node:fs'
import {
  type DataDirectory,
  type ProgramResult,
  removeTree,
  runServerProgram,
  type ServerUser,
} from '@howdah/data-directory'
import type { Runtime } from '@howdah/runtime'
import { failed } from './errors.ts'
import type { UpgradeStep } from './options.ts'
import type { Source } from './source.ts'

/** The programs that pg_upgrade calls, of the old and the new PostgreSQL: `check_bin_dir` in PostgreSQL's `exec.c`. */
const needed = {
  old: ['pg_ctl', 'pg_controldata', 'pg_resetwal'],
  new: [
    'pg_upgrade',
    'initdb',
    'pg_controldata',
    'pg_ctl',
    'pg_dump',
    'pg_dumpall',
    'pg_resetwal',
    'pg_restore',
    'psql',
    'vacuumdb',
  ],
}

/** The longest path of a directory for the socket of pg_upgrade's servers, in bytes. */
const longest = 90

/** Whether pg_upgrade can be used here. */
export function canUpgradeFiles(
  old: Runtime,
  anew: Runtime,
  { path }: DataDirectory,
  user: ServerUser | null,
): boolean {
  return (
    needed.old.every((name) => old.has(name)) &&
    needed.new.every((name) => anew.has(name)) &&
    Buffer.byteLength(path) <= longest &&
    // It reaches both directories by their paths.
    (user === null || user.closed === null)
  )
}

/** What pg_upgrade needs. */
interface FilesUpgrade {
  readonly staging: DataDirectory
  readonly source: Source
  readonly runtime: Runtime
  readonly user: ServerUser | null
  readonly superuser: string
  readonly signal: AbortSignal | undefined
  readonly begin: (step: UpgradeStep) => void
  readonly tell: (notice: string) => void
}

/**
 * Fills a new cluster with copies of the old one's files, by pg_upgrade. `false`: pg_upgrade refuses to, and has changed
 * nothing.
 *
 * It starts servers on both clusters. If we are killed, it goes on to its end, and nobody can use the old cluster until then,
 * because it has inherited the lock. If it is killed, the shell that has started it stops its servers.
 */
export async function upgradeFiles({
  source,
  signal,
  begin,
  tell,
  ...how
}: FilesUpgrade): Promise<boolean> {
  await source.stop()
  return await source.locked(async ({ fd }) => {
    const upgrade = async (more: string[]) => await run(source, how, more, fd, signal)
    try {
      const checked = await upgrade(['--check'])
      if (!checked.succeeded) {
        tell(`pg_upgrade refuses this cluster, so it is dumped and loaded: ${wordsOf(checked)}`)
        return false
      }
      begin('loading')
      const upgraded = await upgrade([])
      if (!upgraded.succeeded) throw failed(source.path, 'pg_upgrade', wordsOf(upgraded))
      return true
    } finally {
      // It leaves servers if it is ended.
      await source.stop()
      await tidy(how.staging)
    }
  })
}

/**
 * Runs pg_upgrade. If it fails or is killed, stops the servers that it has left. The substitution gives its status when pg_upgrade
 * and all programs that it has begun have ended, because they inherit the pipe; one of them may still start a server. It does not
 * mind that nobody reads what it says.
 */
const script = `trap '' PIPE HUP; trap : TERM; exec 9>&1
old=$1 new=$2 pg_ctl=$3; shift 3
status=$("$0" "$@" 8>&1 >&9 9>&-; echo $?)
[ "$status" = 0 ] && exit
for stop in "$old fast" "$old immediate" "$new immediate"; do
  "$pg_ctl" stop -D "\${stop% *}" -m "\${stop##* }"
done >/dev/null 2>&1
exit 1`

async function run(
  source: Source,
  {
    staging,
    runtime,
    user,
    superuser,
  }: Pick<FilesUpgrade, 'staging' | 'runtime' | 'user' | 'superuser'>,
  more: string[],
  keeps: number,
  signal: AbortSignal | undefined,
): Promise<ProgramResult> {
  return await runServerProgram(runtime, 'pg_upgrade', {
    user,
    path: staging.path,
    keeps,
    signal,
    script,
    args: (path, kept) => [
      source.path,
      path,
      source.runtime.program('pg_ctl'),
      // The servers inherit neither the lock nor the pipe: pg_ctl starts them by a shell, with these words.
      ...['--old-options', '--new-options'].flatMap((name) => [name, `${kept}>&- 8>&-`]),
      '--old-bindir',
      source.runtime.bindir,
      '--new-bindir',
      runtime.bindir,
      '--old-datadir',
      source.path,
      '--new-datadir',
      path,
      '--username',
      superuser,
      ...more,
    ],
  })
}

/** Its words about what went wrong, without the list of what went well. */
function wordsOf({ stdout, stderr }: ProgramResult): string {
  const lines = [...stdout.split('\n'), ...stderr.split('\n')].map((line) => line.trim())
  return lines
    .filter((line) => line !== '' && !/ ok$|^-+$|^Performing |^Failure, exiting$/.test(line))
    .slice(-12)
    .join('\n')
}

/** Removes the logs and scripts that it leaves in its working directory. */
async function tidy(staging: DataDirectory): Promise<void> {
  for (const name of readdirSync(staging.here))
    if (/^(?:pg_upgrade|delete_old_cluster|update_extensions|analyze_new_cluster)/.test(name))
      await removeTree(staging.file(name))
}
