import { readFileSync } from 'node:fs'

/** The process of a postmaster that recovers, or `null`. Linux only. */
export function startupOf(postmaster: number): number | null {
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8')
  const found = children.split(' ').find((pid) => {
    try {
      return pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('startup')
    } catch {
      return false
    }
  })
  return found === undefined ? null : Number(found)
}
