import type { Runtime } from '@howdah/runtime'
import type { DataDirectory } from '../data-directory.ts'
import { diskFull, noSuperuser } from '../errors.ts'
import { takeBackAbandoned } from '../server/abandoned.ts'
import { runServerProgram } from './server-program.ts'
import type { ServerUser } from './server-user.ts'
import { singleUserArguments } from './single-user-arguments.ts'

/**
 * The superusers that can log in, oldest first, found without a running server and without a password.
 *
 * The cluster must be stopped, and the caller hold the change and use locks. Throws `ERR_CLUSTER_NO_SUPERUSER` with the
 * server's output if there is none.
 */
export async function superusersWhileStopped(
  directory: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
  signal?: AbortSignal,
): Promise<string[]> {
  // The names are read as hexadecimal digits, because a newline ends a statement and quotes in a value are not escaped.
  const query =
    "select encode(convert_to(rolname, 'UTF8'), 'hex') as role from pg_roles where rolsuper and rolcanlogin order by oid\n"
  // PostgreSQL refuses single-user mode while a process has the pid of a killed server, even if that is a zombie. It then
  // removes the segment that the server has left, and not the files that the segment names.
  await takeBackAbandoned(directory, { user, runtime: () => Promise.resolve(runtime) })
  const { stdout, stderr } = await runServerProgram(runtime, 'postgres', {
    user,
    path: directory.path,
    args: (path) => singleUserArguments(path, 'postgres'),
    input: query,
    signal,
  })
  // The exit status is 0 even after an error, so only the rows count.
  const roles = [...stdout.matchAll(/\brole = "([0-9a-f]+)"/g)].map(([, hex = '']) =>
    Buffer.from(hex, 'hex').toString(),
  )
  if (roles.length === 0) {
    const failure = noSuperuser(directory.path, [stderr, stdout].join('\n').trim())
    if (!stderr.includes('No space left on device')) throw failure
    throw diskFull(directory.path, directory.path, null, { cause: failure })
  }
  return roles
}
