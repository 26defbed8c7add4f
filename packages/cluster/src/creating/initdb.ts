import { acquire } from '@howdah/lock'
import type { Staging } from './staging.ts'
import { localeArguments } from './locale-arguments.ts'
import type { Runtime } from '@howdah/runtime'
import {
  type DataDirectory,
  diskFull,
  runServerProgram,
  type ServerUser,
  singleUserArguments,
} from '@howdah/data-directory'
import { createFailed } from '../errors.ts'

/** What a cluster is made with. */
export interface Initialization {
  /** The cluster to be. */
  readonly directory: DataDirectory
  readonly runtime: Runtime
  readonly user: ServerUser | null
  readonly superuser: string
  /** As `localeArguments` reads it; `C` by default. */
  readonly locale?: string | undefined
  /** Whether it asks for no password over TCP, on this machine. */
  readonly trust?: boolean | undefined
  /** What is done in it before it counts as a cluster: its key, and how, when it is in that directory. */
  readonly init?: { readonly key: string; run(staging: Staging): Promise<void> } | undefined
  /** Whether it is thrown away: then it is lean, and need not be on disk. */
  readonly throwAway: boolean
}

/** What clusters are made with, apart from where: UTF-8, a locale, no password on the socket. */
export function initdbArguments(initialization: Initialization): string[] {
  const { superuser, locale = 'C', trust = false, runtime, directory } = initialization
  const { major } = runtime.version
  const kind = ['--encoding', 'UTF8', ...localeArguments(directory.path, locale, major)]
  const access = ['--auth-local', 'trust', '--auth-host', trust ? 'trust' : 'scram-sha-256']
  return ['--username', superuser, ...kind, ...access]
}

/**
 * What initdb cannot make of a superuser's name: it writes the name into the text of privileges as it is, and PostgreSQL refuses
 * the extensions of such a role while they are made.
 */
const unfit = /["'$\\\p{Cc}]/u

/** Makes a cluster in an empty directory of the server's user. Throws `ERR_CLUSTER_CREATE_FAILED` with initdb's words. */
export async function initdb(staging: string, initialization: Initialization): Promise<void> {
  const { throwAway, superuser } = initialization
  const isRenamed = unfit.test(superuser) && !superuser.startsWith('pg_')
  const made = isRenamed ? { ...initialization, superuser: 'postgres' } : initialization
  const args = (path: string) => [
    '--pgdata',
    path,
    ...initdbArguments(made),
    // If initdb tidied up, nothing would name the shared memory of its own killed server.
    '--no-clean',
    // After a crash of the machine nobody wants it.
    ...(throwAway ? ['--no-sync'] : []),
  ]
  await run('initdb', staging, initialization, args)
  if (isRenamed) await renameSuperuser(staging, initialization)
}

/** ALTER ROLE renames no role that is connected, and in single-user mode there is no other. */
async function renameSuperuser(staging: string, initialization: Initialization): Promise<void> {
  const { superuser, throwAway } = initialization
  // A newline ends a statement.
  const name = superuser.replaceAll(/["'$\\\p{Cc}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return String.raw`\u${code.toString(16).padStart(4, '0')}`
  })
  const settings = { exit_on_error: 'on', ...(throwAway && { fsync: 'off' }) }
  const args = (path: string) => singleUserArguments(path, 'template1', settings)
  const statement = `UPDATE pg_catalog.pg_authid SET rolname = E'${name}' WHERE oid = 10;\n`
  await run('postgres', staging, initialization, args, statement)
}

/** In bytes: what a new cluster takes while it is made. */
const roomFor = 50e6

/** Brings all of a cluster's files to disk. Throws `ERR_CLUSTER_CREATE_FAILED`. */
export async function syncToDisk(staging: string, initialization: Initialization): Promise<void> {
  await run('initdb', staging, initialization, (path) => ['--sync-only', '--pgdata', path])
}

/**
 * Has the WAL of a new cluster begin with a fresh segment, so that the 7 MB of its making need not be copied for each of its
 * clones. Only if WAL files can be removed rather than kept for later, which is so from 12 on.
 */
export async function beginFreshWal(
  staging: string,
  initialization: Initialization,
): Promise<void> {
  const { runtime, throwAway } = initialization
  if (runtime.version.major < 12) return
  const settings = { wal_recycle: 'off', min_wal_size: '32MB', ...(throwAway && { fsync: 'off' }) }
  const args = (path: string) => singleUserArguments(path, 'template1', settings)
  await run('postgres', staging, initialization, args, 'SELECT pg_switch_wal();\n')
}

async function run(
  program: 'initdb' | 'postgres',
  staging: string,
  { directory, runtime, user }: Initialization,
  args: (path: string) => string[],
  input = '',
): Promise<void> {
  // The program goes on if we are killed. It shares this lock with us, so that a sweeper waits for its end.
  using running = await acquire(staging, { fair: false })
  const { succeeded, stdout, stderr } = await runServerProgram(runtime, program, {
    user,
    path: staging,
    keeps: running.fd,
    args,
    input,
  })
  if (succeeded) return
  // The directory is removed by us.
  const words = stderr.replaceAll(/^initdb: .* not removed at user's request\n?/gm, '')
  const said = words.trim() || stdout.trim()
  const failure = createFailed(directory.path, said)
  if (!/No space left on device/.test(said)) throw failure
  throw diskFull(directory.path, directory.path, roomFor, { cause: failure })
}
