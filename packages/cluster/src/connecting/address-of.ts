import { resolve } from 'node:path'
import {
  acceptsSsl,
  type DataDirectory,
  type PostmasterPid,
  reachableSocketDirectory,
} from '@howdah/data-directory'
import { noTcp } from '../errors.ts'
import type { Address } from './address.ts'
import { storedPassword } from './tcp-password.ts'

/** The address of the server that wrote `file`: its socket, or TCP if `tcp` is set. Throws `ERR_CLUSTER_NO_TCP`. */
export async function addressOf(
  directory: DataDirectory,
  file: PostmasterPid,
  user: string,
  tcp: boolean,
): Promise<Address> {
  const port = file.port ?? 5432
  if (tcp) {
    if (file.listenAddress === null) throw noTcp(directory.path, '; stop it, and start it with TCP')
    const wildcard = ['*', '0.0.0.0', '::', 'localhost'].includes(file.listenAddress)
    const host = wildcard ? '127.0.0.1' : file.listenAddress
    const password = storedPassword(directory)
    // If the server does not answer now, it counts as one that howdah has set up, without SSL.
    const ssl = (await acceptsSsl(host, port)) ?? false
    return { host, port, user, password, ssl }
  }
  if (file.socketDirectory === null) throw noTcp(directory.path, ' nor has it a socket')
  const socket = resolve(directory.path, file.socketDirectory)
  return {
    host: await reachableSocketDirectory(directory.path, socket, port),
    port,
    user,
    password: null,
  }
}
