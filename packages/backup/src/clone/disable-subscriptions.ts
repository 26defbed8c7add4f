import { stat } from 'node:fs/promises'
import type { Runtime } from '@howdah/runtime'
import { recoveryFailed } from '../errors.ts'
import {
  type DataDirectory,
  runServerProgram,
  type ServerUser,
  singleUserArguments,
} from '@howdah/data-directory'

/** Where `pg_subscription` lies, of which there is one for all databases, as initdb makes it: by its OID. */
const catalog = ['global', '6100'] as const

/** The file of a cluster in which its subscriptions are; empty if there never was one. */
export function subscriptionsOf(directory: DataDirectory): string {
  return directory.file(...catalog)
}

/**
 * Disables the subscriptions of a copy: with its original's, it would take from the publisher, by the same slot, what the
 * original has not had yet. The copy must be stopped, and shut down in good order.
 */
export async function disableSubscriptions(
  copy: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
): Promise<void> {
  // If there never was one, and that is nearly everywhere, nobody need be asked.
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
  // The status is 0 even after an error.
  if (/\benabled = "0"/.test(stdout)) return
  throw recoveryFailed(copy.path, 'its subscriptions cannot be disabled', stderr.trim())
}
