import type { Cluster, RunOptions, Server } from '@howdah/cluster'
import { takeApart, wantsTcp } from '@howdah/cluster/inside'
import type { Context } from '../program/command.ts'
import { databaseName } from './database-name.ts'

/** The role, the database and the port that clients use, and whether by TLS. */
export type Login = Pick<RunOptions, 'user' | 'password' | 'database' | 'tcp' | 'tls'> & {
  readonly parameters?: string
}

/**
 * The login that `--as`, its parts and the environment ask for. PGUSER and PGPASSWORD count for the superuser of a new
 * cluster. An existing cluster keeps its own, and {@link tellLogin} reports that.
 */
export async function loginOf(
  {
    io: { env },
    options: { as, user, password, tcp, tls, database, temporary },
    asked: project,
  }: Context,
  cluster: Cluster,
): Promise<Login> {
  const given = { user, password, tcp, tls, database }
  const asked: Login = takeApart(cluster.dataDir, { as, ...given } as Login & { as?: string })
  const isNew = temporary === true || !(await cluster.exists())
  const login = {
    ...asked,
    user: asked.user ?? (isNew ? env['PGUSER'] || project?.settings.user : undefined),
    // The socket needs no password.
    password:
      asked.password ?? (wantsTcp(asked) ? await passwordOf(project, env, isNew) : undefined),
    database: asked.database ?? databaseName(env),
  }
  const filled = Object.entries(login).filter(([, value]) => value !== undefined && value !== '')
  return Object.fromEntries(filled) as Login
}

/** The password over TCP that the environment or else the settings of the project ask for. */
async function passwordOf(
  project: Context['asked'],
  env: NodeJS.ProcessEnv,
  isNew: boolean,
): Promise<string | undefined> {
  if (isNew && env['PGPASSWORD']) return env['PGPASSWORD']
  if (project === undefined) return undefined
  const { tcpPasswordOf } = await import('@howdah/provision')
  const { tcp } = project.settings
  if (typeof tcp !== 'object' || tcp.password === undefined) return undefined
  return env['PGPASSWORD'] || tcpPasswordOf(project, env)
}

/** Reports if the command gets other values of PGUSER and PGPASSWORD than those in our environment. */
export function tellLogin({ io: { env }, options, output }: Context, server: Server): void {
  const { user, password } = server.address
  const named = env['PGUSER'] ?? ''
  if (named !== '' && named !== user && options.user === undefined && options.as === undefined) {
    output.message(
      `howdah: PGUSER=${named} does not count, because the superuser of ${server.dataDir} is "${user}"; ` +
        'for another one use a new data directory, or --temporary',
    )
  }
  const secret = env['PGPASSWORD'] ?? ''
  if (password === null || secret === '' || secret === password) return
  if (options.password !== undefined || options.as !== undefined) return
  output.message(
    `howdah: PGPASSWORD does not count, for ${server.dataDir} has a password already; ` +
      'change it by --password, or by --as and the URL',
  )
}
