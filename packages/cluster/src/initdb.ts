import { acquire } from '@howdah/lock'
import type { Runtime } from '@howdah/runtime'
import type { DataDirectory } from './data-directory.ts'
import { CreateFailedError } from './errors.ts'
import { runServerProgram } from './server-program.ts'
import type { ServerUser } from './server-user.ts'

/** What a cluster is made with. */
export interface Initialization {
  /** The cluster to be. */
  readonly directory: DataDirectory
  readonly runtime: Runtime
  readonly user: ServerUser | null
  readonly superuser: string
  /** Whether it is to be thrown away: then it need not be on disk, and is lean. */
  readonly throwAway: boolean
}

/** What all clusters are made with, apart from where: UTF-8, locale C, no password on the socket. */
export function initdbArguments(superuser: string): string[] {
  const kind = ['--encoding', 'UTF8', '--locale', 'C']
  const access = ['--auth-local', 'trust', '--auth-host', 'scram-sha-256']
  return ['--username', superuser, ...kind, ...access]
}

/** Makes a cluster in an empty directory of the server's user. Throws {@link CreateFailedError} with initdb's words. */
export async function initdb(staging: string, initialization: Initialization): Promise<void> {
  const { superuser, throwAway } = initialization
  await run(staging, initialization, (path) => [
    '--pgdata',
    path,
    ...initdbArguments(superuser),
    // After a crash of the machine, nobody wants what was to be thrown away.
    ...(throwAway ? ['--no-sync'] : []),
  ])
}

/** Brings all of a cluster's files to disk. Throws {@link CreateFailedError}. */
export async function syncToDisk(staging: string, initialization: Initialization): Promise<void> {
  await run(staging, initialization, (path) => ['--sync-only', '--pgdata', path])
}

async function run(
  staging: string,
  { directory, runtime, user }: Initialization,
  args: (path: string) => string[],
): Promise<void> {
  // initdb outlives us when we are killed. It has this lock with us, so that whoever clears up waits for its end.
  using running = await acquire(staging, { fair: false })
  const { succeeded, stdout, stderr } = await runServerProgram(runtime, 'initdb', {
    user,
    path: staging,
    keeps: running.fd,
    args,
  })
  if (!succeeded) throw new CreateFailedError(directory.path, stderr.trim() || stdout.trim())
}
