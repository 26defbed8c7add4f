import { type DataDirectory, findPostmaster } from '@howdah/data-directory'
import { notRunning } from '../errors.ts'
import { superuserOf } from '../running/superuser.ts'
import { addressOf } from './address-of.ts'
import type { Address } from './address.ts'

/** The address of the running server, for its superuser. Throws `ERR_CLUSTER_NOT_RUNNING` and `ERR_CLUSTER_NO_TCP`. */
export async function findAddress(directory: DataDirectory, tcp: boolean): Promise<Address> {
  const postmaster = await findPostmaster(directory)
  if (postmaster === null) throw notRunning(directory.path)
  return await addressOf(directory, postmaster.file, await superuserOf(directory), tcp)
}
