import { errno } from '@howdah/durable'
import type { WaitOptions } from '@howdah/coordinate'
import { acquire } from '@howdah/lock'
import type { Runtime } from '@howdah/runtime'
import type { DataDirectory, ServerUser } from '@howdah/data-directory'
import { noTcpLogin } from '../errors.ts'
import { postgres, Server } from '../server.ts'
import { findAddress } from './find-address.ts'
import { superuserOf } from '../running/superuser.ts'
import { storePassword, storedPassword, setPassword } from './tcp-password.ts'

/** A server that listens on TCP, and how to log in. */
export interface TcpLogin extends Pick<WaitOptions, 'timeout' | 'signal'> {
  readonly directory: DataDirectory
  readonly runtime: Runtime
  readonly user: ServerUser | null
  /** Whether howdah has started the server. Passwords are set only in this case. */
  readonly isOurs: boolean
  /** Whether the caller holds the change lock. */
  readonly isLocked: boolean
  /** The requested password; by default the stored one, or else a generated one. */
  readonly password?: string | undefined
  /** Called with messages for the user. */
  readonly notice: (message: string) => void
}

/** The SQLSTATEs of a refused login: the password is wrong or expired, or the role may not log in at all. */
const refusals = new Set(['28P01', '28000'])

/**
 * Makes sure that the superuser can log in over TCP with the requested password, or with the one that is stored beside the
 * cluster. It tries to log in. If somebody has given the role another password, it sets howdah's again, over the socket,
 * which needs no password in clusters that howdah has created.
 *
 * Throws `ERR_CLUSTER_TCP_LOGIN` if this does not help, or howdah did not start the server.
 */
export async function ensureTcpLogin(login: TcpLogin): Promise<void> {
  const { directory, isOurs, notice } = login
  const tries = isOurs ? isStored(login) : true
  const refusal = tries ? await refusalOf(login) : null
  if (refusal === null && tries) return
  if (!isOurs) throw noTcpLogin(directory.path, refusal)
  await givePassword(login)
  if (refusal === null) return
  const still = await refusalOf(login)
  if (still !== null) throw noTcpLogin(directory.path, still)
  notice(
    `somebody had given the role "${await superuserOf(directory)}" another password, so it was set to that in ${directory.passwordFile} again; ` +
      'put one of your own there, or give programs with passwords of their own another role',
  )
}

/** Whether the requested password, or any password if none is requested, is already stored. */
export function isStored({
  directory,
  password,
}: Pick<TcpLogin, 'directory' | 'password'>): boolean {
  const kept = storedPassword(directory)
  return kept !== null && (password ?? kept) === kept
}

/** Stores the requested password, and sets it for the superuser over the socket. */
export async function givePassword(login: TcpLogin): Promise<void> {
  const { directory, isLocked, timeout, signal } = login
  const superuser = await superuserOf(directory)
  const server = await reach(login, false)
  await server.withAdministrator(async (client) => {
    if (!isStored(login)) {
      const change = { path: directory.path, create: false, fair: false, timeout, signal }
      const lock = isLocked ? null : await acquire(change.path, change)
      try {
        if (!isStored(login)) await storePassword(directory, login.user, login.password)
      } finally {
        lock?.release()
      }
    }
    await setPassword(directory, client, superuser)
  })
}

/** Why the server refuses howdah's password; `null` if it accepts it. */
async function refusalOf(login: TcpLogin): Promise<Error | null> {
  try {
    const server = await reach(login, true)
    await (await server.connect(postgres)).end()
    return null
  } catch (error) {
    if (!refusals.has(errno(error))) throw error
    return error as Error
  }
}

async function reach(
  { directory, runtime, timeout, password }: TcpLogin,
  tcp: boolean,
): Promise<Server> {
  const found = await findAddress(directory, tcp)
  const address = password === undefined ? found : { ...found, password }
  return new Server(directory.path, runtime, address, postgres, timeout)
}
