import { acquire } from '@howdah/lock'
import type { Staging } from './staging.ts'
import { localeArguments } from './locale-arguments.ts'
import type { Runtime } from '@howdah/runtime'
import {
  type DataDirectory,
  diskFull,
  renaming,
  runServerProgram,
  type ServerUser,
  singleUserArguments,
} from '@howdah/data-directory'
import { createFailed } from '../errors.ts'

/** How to make a new cluster. */
export interface Initialization {
  /** The data directory of the new cluster. */
  readonly directory: DataDirectory
  readonly runtime: Runtime
  readonly user: ServerUser | null
  readonly superuser: string
  /** In the form that `localeArguments` takes; `C` by default. */
  readonly locale?: string | undefined
  /** The arguments of initdb for everything that a cluster keeps for life, in the place of UTF-8 and `locale`. */
  readonly kind?: readonly string[] | undefined
  /** Whether the cluster asks for no password over TCP on this machine. */
  readonly trust?: boolean | undefined
  /** An action to run in the directory before it counts as a cluster, with a key that identifies its effect. */
  readonly init?: { readonly key: string | null; run(staging: Staging): Promise<void> } | undefined
  /** The name of a kept cluster to begin with instead, if the cache has it; see `keepBase`. */
  readonly base?: string | undefined
  /** Whether the cluster will be thrown away. Then it gets lean settings, and need not be on disk. */
  readonly throwAway: boolean
}

/** The arguments of initdb, except the directory: UTF-8, a locale, no password on the socket. */
export function initdbArguments(initialization: Initialization): string[] {
  const { superuser, locale = 'C', trust = false, runtime, directory } = initialization
  const { major } = runtime.version
  const { kind = ['--encoding', 'UTF8', ...localeArguments(directory.path, locale, major)] } =
    initialization
  const access = ['--auth-local', 'trust', '--auth-host', trust ? 'trust' : 'scram-sha-256']
  return ['--username', superuser, ...kind, ...access]
}

/**
 * Characters in a superuser's name with which initdb fails: it writes the name unquoted into the text of privileges, and
 * PostgreSQL refuses to create the extensions of such a role.
 */
const unfit = /["'$\\\p{Cc}]/u

/**
 * Makes a cluster in an empty directory of the server's user. Throws `ERR_CLUSTER_CREATE_FAILED` with the output of initdb.
 */
export async function initdb(staging: string, initialization: Initialization): Promise<void> {
  const { throwAway, superuser } = initialization
  const isRenamed = unfit.test(superuser) && !superuser.startsWith('pg_')
  const made = isRenamed ? { ...initialization, superuser: 'postgres' } : initialization
  const args = (path: string) => [
    '--pgdata',
    path,
    ...initdbArguments(made),
    // If initdb removed the directory, nothing would name the shared memory of its own killed server.
    '--no-clean',
    // Nobody needs it after a crash of the machine.
    ...(throwAway ? ['--no-sync'] : []),
  ]
  await run('initdb', staging, initialization, args)
  if (isRenamed) await runStatements(staging, initialization, [renaming(superuser)])
}

/** The room that a new cluster needs while it is made, in bytes. */
const roomFor = 50e6

/** Writes all files of a cluster to the disk. Throws `ERR_CLUSTER_CREATE_FAILED`. */
export async function syncToDisk(staging: string, initialization: Initialization): Promise<void> {
  await run('initdb', staging, initialization, (path) => ['--sync-only', '--pgdata', path])
}

/**
 * Lets the WAL of a new cluster begin with a fresh segment, so that the 7 MB from its creation need not be copied into each
 * clone. This needs PostgreSQL 12, which can remove old WAL files instead of recycling them.
 */
export async function beginFreshWal(
  staging: string,
  initialization: Initialization,
): Promise<void> {
  if (initialization.runtime.version.major < 12) return
  const settings = { wal_recycle: 'off', min_wal_size: '32MB' }
  await runStatements(staging, initialization, ['SELECT pg_switch_wal();'], settings)
}

/** Runs statements of a line each in `template1`, in single-user mode, up to the first error. Throws as {@link initdb} does. */
export async function runStatements(
  staging: string,
  initialization: Initialization,
  statements: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const sync = initialization.throwAway ? { fsync: 'off' } : {}
  const all = { exit_on_error: 'on', ...sync, ...settings }
  const args = (path: string) => singleUserArguments(path, 'template1', all)
  await run('postgres', staging, initialization, args, `${statements.join('\n')}\n`)
}

async function run(
  program: 'initdb' | 'postgres',
  staging: string,
  { directory, runtime, user }: Initialization,
  args: (path: string) => string[],
  input = '',
): Promise<void> {
  // If we are killed, the program goes on. It shares this lock with us, so a sweeper waits for its end.
  using running = await acquire(staging, { fair: false })
  const { succeeded, stdout, stderr } = await runServerProgram(runtime, program, {
    user,
    path: staging,
    keeps: running.fd,
    args,
    input,
  })
  if (succeeded) return
  // The hint of initdb is left out, because we remove the directory.
  const words = stderr.replaceAll(/^initdb: .* not removed at user's request\n?/gm, '')
  const said = words.trim() || stdout.trim()
  const failure = createFailed(directory.path, said)
  if (!/No space left on device/.test(said)) throw failure
  throw diskFull(directory.path, directory.path, roomFor, { cause: failure })
}
