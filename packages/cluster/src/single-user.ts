import type { Runtime } from '@howdah/runtime'
import type { DataDirectory } from './data-directory.ts'
import { serverEnvironment } from './environment.ts'
import { NoSuperuserError } from './errors.ts'
import type { ServerUser } from './server-user.ts'

/**
 * The roles that are superuser and can log in, oldest first, found without a running server and without a password.
 *
 * The cluster must be stopped, and the caller hold the change and use locks. Throws {@link NoSuperuserError} with the
 * server's output when there are none.
 */
export async function superusersWhileStopped(
  directory: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
): Promise<string[]> {
  // A newline ends a statement, and quotes in a value are not escaped, so the names come as hexadecimal digits.
  const query =
    "select encode(convert_to(rolname, 'UTF8'), 'hex') as role from pg_roles where rolsuper and rolcanlogin order by oid\n"
  const { execa } = await import('execa')
  const args = ['--single', '-D', directory.path, 'postgres']
  const result = await execa(runtime.program('postgres'), args, {
    cwd: directory.path,
    env: serverEnvironment(runtime.bindir),
    extendEnv: false,
    ...(user !== null && { uid: user.uid, gid: user.gid }),
    input: query,
    all: true,
    reject: false,
  })
  // The status is 0 even after an error, so the rows alone tell.
  const roles = [...(result.stdout ?? '').matchAll(/\brole = "([0-9a-f]+)"/g)].map(([, hex = '']) =>
    Buffer.from(hex, 'hex').toString(),
  )
  if (roles.length === 0)
    throw new NoSuperuserError(directory.path, result.all || result.message || '')
  return roles
}
