import type { Server } from '@howdah/cluster'
import { type Pending, Provision } from '@howdah/provision'
import { fullPath } from '@howdah/terminal'
import type { Context } from '../program/command.ts'

/** What the settings of the project ask of the cluster; `null` if there are none, or they ask for nothing. */
export async function provisionOf(context: Context): Promise<Provision | null> {
  const { asked, io, options, interruption } = context
  if (asked === undefined) return null
  return await Provision.read(asked, {
    env: io.env,
    signal: interruption.signal,
    isSeeded: options.temporary !== true,
    init: options.init?.map((pattern) => fullPath(io, pattern)),
  })
}

/** Makes what is missing, and says on which scripts of the settings the cluster is behind. */
export async function settle(
  { asked, options, output }: Context,
  provision: Provision,
  server: Server,
  { isTold }: { readonly isTold: boolean },
): Promise<void> {
  const pending = await provision.settle(server)
  if (!isTold || options.temporary === true) return
  for (const one of pending) output.message(`howdah: ${describe(one, asked?.path ?? '')}`)
}

function describe({ key, hasChanged }: Pending, path: string): string {
  const news = hasChanged
    ? `${key} in ${path} has changed since it ran on this cluster`
    : `${key} in ${path} has not run on this cluster, which was made without it`
  return `${news}; "howdah apply" runs it now, "howdah apply --done" says that it is done, "howdah reset" makes the cluster anew`
}
