import { flockBinding, LockError } from '@howdah/lock'
import type { Check, Complaint } from '../check.ts'

/** The binding by which files are locked, without which no cluster works. */
export const locks: Check = {
  name: 'locks',
  async examine() {
    try {
      const { name, file } = flockBinding()
      return name === 'native' ? [] : [slower(file)]
    } catch (error) {
      const complaint = missing(error)
      if (complaint !== null) return [complaint]
      throw error
    }
  },
}

function slower(path: string): Complaint {
  return {
    severity: 'notice',
    subject: { path },
    what: 'files are locked by fs-ext, which waits by looking again and again',
    cure: 'nothing, unless HOWDAH_FLOCK is set: unset it if there is a prebuilt binding',
  }
}

/** The complaint about a missing binding, which is reported once, whatever it has hindered; `null` for any other error. */
export function missing(error: unknown): Complaint | null {
  if (!(error instanceof LockError && error.code === 'ERR_LOCK_BINDING')) return null
  const { problem, remedy = 'see its cause' } = error
  return { severity: 'error', subject: {}, what: `no file can be locked: ${problem}`, cure: remedy }
}
