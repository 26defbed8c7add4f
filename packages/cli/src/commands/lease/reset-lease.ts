import type { Leaser } from '@howdah/lease'
import type { Context } from '../../program/command.ts'
import { errno } from '@howdah/durable'
import { CliError } from '../../errors.ts'
import { exitStatus } from '../../exit-status.ts'
import { withLeaser } from './with-leaser.ts'

/** Frees a corrupt lease, or with --force a held one. The generation still grows. */
export async function resetLease(context: Context, name: string): Promise<number> {
  return await withLeaser(context, name, async (leaser) => {
    const { options, output, interruption } = context
    const holder = options.force === true ? null : await holderOf(leaser, interruption.signal)
    if (holder !== null) {
      throw new CliError(
        'ERR_CLI_LEASE_HELD',
        `the lease ${leaser.place} is held by ${holder}; wait for its end, or end that holder, ` +
          'or reset it all the same with --force',
      )
    }
    await leaser.reset({ signal: interruption.signal })
    if (options.json) await output.json({ place: leaser.place })
    return exitStatus.done
  })
}

/** The holder of a valid lease, and its end; `null` if nobody holds it, or the stored state is not a lease. */
async function holderOf(leaser: Leaser, signal: AbortSignal): Promise<string | null> {
  try {
    const state = await leaser.inspect({ signal })
    if (state === null || !state.held || state.problem !== null) return null
    return `${state.owner || 'somebody without a name'} until ${state.expiresAt.toISOString()}`
  } catch (error) {
    if (errno(error) === 'ERR_LEASE_CORRUPT') return null
    throw error
  }
}
