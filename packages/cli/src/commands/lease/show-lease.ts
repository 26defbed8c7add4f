import type { Leaser, LeaseState } from '@howdah/lease'
import type { Context } from '../../program/command.ts'
import { withLeaser } from './with-leaser.ts'

/** Prints who holds a lease, without taking the lease or making anything. */
export async function showLease(context: Context, name: string): Promise<number> {
  return await withLeaser(context, name, async (leaser) => {
    const { options, output } = context
    const state = await leaser.inspect({ signal: context.interruption.signal })
    if (options.json) await output.json(plain(leaser, state))
    else if (state === null) output.message(`nobody has ever held the lease ${leaser.place}`)
    else await output.line(describe(state))
    if (state?.problem) {
      output.complain(
        `howdah: ${state.problem}; make sure that nobody holds it, then: howdah lease reset ${name}`,
      )
    }
    return 0
  })
}

function describe({ held, owner, expiresAt, generation }: LeaseState): string {
  const who = owner === '' ? 'somebody without a name' : owner
  if (held) return `held by ${who} until ${expiresAt.toISOString()}, generation ${generation}`
  const end = expiresAt.getTime() === 0 ? 'released' : `expired at ${expiresAt.toISOString()}`
  return `free; last held by ${who}, ${end}, generation ${generation}`
}

/** Generations are texts, because they may be too large for JSON readers. */
function plain({ type, place }: Leaser, state: LeaseState | null): object {
  if (state === null) return { place, type, held: false, lease: null }
  const { held, owner, expiresAt, generation, problem } = state
  return {
    place,
    type,
    held,
    lease: { owner, expiresAt: expiresAt.toISOString(), generation: `${generation}`, problem },
  }
}
