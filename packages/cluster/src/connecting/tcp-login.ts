import { errno } from '@howdah/durable'
import { acquire } from '@howdah/lock'
import type { Runtime } from '@howdah/runtime'
import type { DataDirectory, ServerUser } from '@howdah/data-directory'
import { noTcpLogin } from '../errors.ts'
import { postgres, Server } from '../server.ts'
import { findAddress } from './find-address.ts'
import { superuserOf } from '../running/superuser.ts'
import { keepPassword, keptPassword, setPassword } from './tcp-password.ts'
import type { ReadyOptions } from '../running/when-ready.ts'

/** A server that listens on TCP, and what is known of it. */
export interface TcpLogin extends Pick<ReadyOptions, 'timeout' | 'signal'> {
  readonly directory: DataDirectory
  readonly runtime: Runtime
  readonly user: ServerUser | null
  /** Whether howdah has started it: only then are passwords set. */
  readonly isOurs: boolean
  /** Whether the caller holds the change lock. */
  readonly isLocked: boolean
  /** The password that is wanted; the one that is kept, or a generated one, by default. */
  readonly password?: string | undefined
  /** Told what deserves a word to the user. */
  readonly notice: (message: string) => void
}

/** SQLSTATEs: a password that is wrong, or has expired; and no leave to log in at all. */
const refusals = new Set(['28P01', '28000'])

/**
 * Makes sure that the superuser can log in over TCP with the password that is wanted, or kept beside the cluster, which is
 * found out by doing so. Somebody may have given the role another: then it gets howdah's again, over the socket, which
 * needs none.
 *
 * Throws `ERR_CLUSTER_TCP_LOGIN` if that does not help, or howdah did not start the server.
 */
export async function ensureTcpLogin(login: TcpLogin): Promise<void> {
  const { directory, isOurs, notice } = login
  const tries = isOurs ? isKept(login) : true
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

/** Whether the password that is wanted, or any if none is, is kept already. */
export function isKept({ directory, password }: Pick<TcpLogin, 'directory' | 'password'>): boolean {
  const kept = keptPassword(directory)
  return kept !== null && (password ?? kept) === kept
}

/** Keeps the password that is wanted, and gives it to the superuser, over the socket. */
export async function givePassword(login: TcpLogin): Promise<void> {
  const { directory, isLocked, timeout, signal } = login
  const superuser = await superuserOf(directory)
  const server = await reach(login, false)
  await server.withAdministrator(async (client) => {
    if (!isKept(login)) {
      const change = { path: directory.path, create: false, fair: false, timeout, signal }
      const lock = isLocked ? null : await acquire(change.path, change)
      try {
        if (!isKept(login)) await keepPassword(directory, login.user, login.password)
      } finally {
        lock?.release()
      }
    }
    await setPassword(directory, client, superuser)
  })
}

/** Why the server refuses howdah's password, or `null`. */
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
  const address = tcp && password !== undefined ? { ...found, password } : found
  return new Server(directory.path, runtime, address, postgres, timeout)
}
