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
  if (isRenamed) await renameSuperuser(staging, initialization)
}

/**
 * Renames the superuser in the catalog, because ALTER ROLE cannot rename the connected role, and single-user mode has no
 * other.
 */
async function renameSuperuser(staging: string, initialization: Initialization): Promise<void> {
  const { superuser, throwAway } = initialization
  // A newline would end the statement.
  const name = superuser.replaceAll(/["'$\\\p{Cc}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return String.raw`\u${code.toString(16).padStart(4, '0')}`
  })
  const settings = { exit_on_error: 'on', ...(throwAway && { fsync: 'off' }) }
  const args = (path: string) => singleUserArguments(path, 'template1', settings)
  const statement = `UPDATE pg_catalog.pg_authid SET rolname = E'${name}' WHERE oid = 10;\n`
  await run('postgres', staging, initialization, args, statement)
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
