import { stat } from 'node:fs/promises'
import type { Runtime } from '@howdah/runtime'
import { recoveryFailed } from '../errors.ts'
import {
  type DataDirectory,
  runServerProgram,
  type ServerUser,
  singleUserArguments,
} from '@howdah/data-directory'

/** The file of `pg_subscription`, which all databases share. initdb names the file by its OID. */
const catalog = ['global', '6100'] as const

/** The file with the subscriptions of a cluster; empty if there never was one. */
export function subscriptionsOf(directory: DataDirectory): string {
  return directory.file(...catalog)
}

/**
 * Disables the subscriptions of a copy. Otherwise the copy would take from the publisher, by the original's slot, data that
 * the original has not received yet. The copy must be stopped, and must have been shut down cleanly.
 */
export async function disableSubscriptions(
  copy: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
): Promise<void> {
  // Most clusters never had one.
  const found = await stat(subscriptionsOf(copy)).catch(() => null)
  if (found?.size === 0) return
  const { stdout, stderr } = await runServerProgram(runtime, 'postgres', {
    user,
    path: copy.path,
    args: (path) => singleUserArguments(path, 'postgres'),
    input:
      'update pg_catalog.pg_subscription set subenabled = false where subenabled\n' +
      'select count(*) as enabled from pg_catalog.pg_subscription where subenabled\n',
  })
  // The exit status is 0 even after an error.
  if (/\benabled = "0"/.test(stdout)) return
  throw recoveryFailed(copy.path, 'its subscriptions cannot be disabled', stderr.trim())
}
